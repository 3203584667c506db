"""A company that changes its addresses: which old and new ones are the same mailbox.

Two cases: the domain is another (``@oldco`` → ``@newco``), or the form of the local
part (``gsmith@`` → ``greg.smith@``). A form is written with ``{first}``, ``{last}``,
``{f}`` and ``{l}`` (their initials). The new form must name both whole, because the
old local part is made from what the new one says. Where two new addresses would have
had the same old one, nobody knows whose it was: they are ambiguous.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from cauce.identity.address_words import split_address
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import Moment, to_iso

_PARTS = {"first": r"(?P<first>[^\W\d_]+)", "last": r"(?P<last>[^\W\d_]+(?:-[^\W\d_]+)*)"}
_NAMES = (*_PARTS, "f", "l")
_BRACES = re.compile(r"\{(\w*)\}")


class Form(NamedTuple):
    """How local parts are built: as they were, and as they are."""

    old: str
    new: str

    def former(self, local: str) -> str | None:
        """The local part that somebody with this new one had; None if it has not the new form."""
        pattern = "".join(
            _PARTS[part] if index % 2 else re.escape(part)
            for index, part in enumerate(_BRACES.split(self.new))
        )
        found = re.fullmatch(pattern, local)
        if found is None:
            return None
        first, last = found["first"], found["last"]
        return self.old.format(first=first, last=last, f=first[0], l=last[0])


def read_form(text: str) -> Form:
    """``{f}{last}:{first}.{last}`` as a form; raises ``InvalidInput`` saying what is wrong."""
    old, colon, new = text.lower().partition(":")
    unknown = sorted({*_BRACES.findall(old), *_BRACES.findall(new)}.difference(_NAMES))
    whole = sorted(_BRACES.findall(new)) == ["first", "last"]
    braces = set("{}") & set(_BRACES.sub("", old + new))
    if not (colon and old and new) or unknown or not whole or braces:
        raise InvalidInput(
            f"{text} is no change of form.",
            hint="Write OLD:NEW with {first}, {last}, {f} or {l}, such as {f}{last}:{first}.{last}; "
            "the new form needs {first} and {last}, once each.",
        )
    return Form(old, new)


class Pair(NamedTuple):
    """An old address and the new one that replaced it."""

    old: str
    new: str


class Pairs(NamedTuple):
    """The pairs that are clear, in order; and the old addresses that several new ones would have had."""

    clear: list[Pair]
    ambiguous: dict[str, list[str]]


def pair_up(addresses: Iterable[str], old: str, new: str, form: Form | None = None) -> Pairs:
    """The pairs among some normalized addresses of the two domains.

    Without a form local parts are equal. Old addresses without a new one, and new ones
    that nobody had before, are in no pair.
    """
    known = set(addresses)
    claims: dict[str, list[str]] = {}
    for address in sorted(known):
        local, domain = split_address(address)
        if domain != new:
            continue
        former = local if form is None else form.former(local)
        before = f"{former}@{old}"
        if former and before in known and before != address:
            claims.setdefault(before, []).append(address)
    clear = [Pair(before, after[0]) for before, after in sorted(claims.items()) if len(after) == 1]
    return Pairs(clear, {before: after for before, after in sorted(claims.items()) if len(after) > 1})


def statement_id(name: str, pair: Pair) -> str:
    """The id of the statement that joins a pair: equal for equal changes of the same name."""
    text = "\0".join((name, pair.old, pair.new))
    return f"rename-{blake2b(text.encode(), digest_size=16).hexdigest()}"


def same_statement(name: str, type_: str, pair: Pair, *, at: Moment) -> dict[str, Any]:
    """The statement that a pair is one, in the format of simulations (``identity.md`` section 2)."""
    return {
        "id": statement_id(name, pair),
        "ts": to_iso(at),
        "op": "same",
        "ids": {type_: [pair.old, pair.new]},
        "source": name,
    }


def retract_statement(name: str, pairs: Iterable[Pair], *, at: Moment) -> dict[str, Any]:
    """The statement that takes all of them back."""
    ids = sorted(statement_id(name, pair) for pair in pairs)
    digest = blake2b("\0".join(ids).encode(), digest_size=16).hexdigest()
    return {"id": f"undo-{digest}", "ts": to_iso(at), "op": "retract", "events": ids, "source": name}
