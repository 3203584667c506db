"""Statements: what is said about identifiers, beside what events carry (``identity.md`` section 2).

They come by API, CLI or review, never from a tracking call, and stand in the log like
events, so that a rebuild, a backup or another view finds them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.identifier import Identifier, Normalization, normalize


class Op(StrEnum):
    """What a statement says."""

    SAME = "same"
    NEVER = "never"
    RETRACT = "retract"
    WITHDRAW = "withdraw"
    GRANT = "grant"


PAIRS = (Op.SAME, Op.NEVER)
"""Statements about two identifiers."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A statement as the stages read it.

    ``identifiers`` are normalized and distinct, ``events`` the message ids that no longer
    count; ``purposes`` are those that consent is withdrawn or granted for, none for all.
    """

    op: Op
    identifiers: tuple[Identifier, ...] = ()
    purposes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Saying(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A statement as somebody makes it: who says it, and why."""

    op: Op
    by: str
    reason: str
    identifiers: tuple[str, ...] = ()
    """As ``type:value``."""
    purposes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    def body(self) -> bytes:
        """Its JSON text in the log."""
        return encode_json({"statement": msgspec.to_builtins(self)})


def read_statement(body: Mapping[str, Any], how: Normalization) -> Statement | None:
    """The statement in the body of an event; None if there is none that can be read."""
    try:
        said = msgspec.convert(body.get("statement"), Saying)
    except msgspec.ValidationError:
        return None
    found: dict[Identifier, None] = {}
    for text in said.identifiers:
        type_, _, value = text.partition(":")
        normal = normalize(type_, value, how)
        if normal:
            found[Identifier(type_, normal)] = None
    return Statement(op=said.op, identifiers=tuple(found), purposes=said.purposes, events=said.events)


def check_statement(op: Op, identifiers: Sequence[Identifier], events: Sequence[str]) -> None:
    """Raise ``InvalidInput`` unless a statement is about what statements of its kind are about."""
    if op is Op.RETRACT and (identifiers or not events):
        raise InvalidInput(
            "A retraction names the events that no longer count.", hint="Give their message ids."
        )
    if op is not Op.RETRACT and events:
        raise InvalidInput(f"{op} is about identifiers, not events.", hint="Give identifiers as type:value.")
    if op in PAIRS and len(set(identifiers)) != 2:
        raise InvalidInput(f"{op} is about two different identifiers.", hint="Give two, as type:value.")
    if op in (Op.WITHDRAW, Op.GRANT) and not identifiers:
        raise InvalidInput(f"{op} names identifiers.", hint="Give at least one, as type:value.")
