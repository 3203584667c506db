"""Acts on identity by hand: two identifiers are one or never one, events no longer count, consent.

An act is an event in the log, with who did it and why: it is kept, found by a rebuild, and
taken back by another act. Nothing else is changed by hand.
"""

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, NamedTuple

import msgspec
import pyarrow.compute as pc

from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.log_rows import log_rows
from cauce.app.pipeline import LOG
from cauce.app.process_lock import process_lock, who_holds
from cauce.eventlog.port import Outcome
from cauce.govern.access import Scope
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import Conflict, InvalidInput, NotAllowed, NotFound
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Identifier, parse_identifier
from cauce.vocabulary.moment import Clock, Moment
from cauce.vocabulary.statement import PAIRS, Op, Saying, check_statement

_LOOK_SECONDS = 0.05
_LONGEST_REASON = 1_000


class Act(NamedTuple):
    """An act as it stands in the log; ``retracted`` if a later one took it back."""

    id: str
    position: Position
    at: Moment
    saying: Saying
    retracted: bool


class Wanted(NamedTuple):
    """What somebody wants to state."""

    op: Op
    reason: str
    identifiers: Sequence[str] = ()
    events: Sequence[str] = ()
    purposes: Sequence[str] = ()


def act(composition: Composition, wanted: Wanted, *, id_: str, now: Moment, viewer: Viewer) -> Act:
    """State something: durable when this returns, in effect once it is folded (``wait_for``).

    The same ``id_`` again, with the same content, changes nothing. Raises ``NotAllowed``
    if the viewer may not write, ``InvalidInput`` if it says nothing that can be stated,
    ``NotFound`` if nobody has an identifier of a pair, ``Conflict`` if the id stands for
    something else.
    """
    if Scope.WRITE not in viewer.scopes:
        raise NotAllowed(
            f"{viewer.name} lacks the scope {Scope.WRITE}.",
            hint=f"Use a key that has it: `cauce key create api NAME --scope {Scope.WRITE}`.",
        )
    saying = _saying(composition, wanted, viewer)
    event = Accepted(message_id=id_, time=now, call=Call.STATEMENT, name="", source="", body=saying.body())
    [outcome] = composition.log.append([event], [], now=now)
    if outcome is Outcome.CONFLICTING_REPEAT:
        raise Conflict("The id stands for something else.", hint="Give another id, or none.")
    found = _read(composition, id_)
    if found is None:
        raise Conflict("The id stands for something else.", hint="Give another id, or none.")
    return found


def _saying(composition: Composition, wanted: Wanted, viewer: Viewer) -> Saying:
    if not wanted.reason.strip():
        raise InvalidInput("An act by hand needs a reason.", hint="Say why, for whoever looks later.")
    if len(wanted.reason) > _LONGEST_REASON:
        raise InvalidInput(f"The reason is longer than {_LONGEST_REASON} characters.", hint="Shorten it.")
    identifiers = [_identifier(composition, text) for text in wanted.identifiers]
    check_statement(wanted.op, identifiers, wanted.events)
    if wanted.op in PAIRS:
        _require_known(composition, identifiers)
    return Saying(
        op=wanted.op,
        by=viewer.name,
        reason=wanted.reason.strip(),
        identifiers=tuple(map(str, identifiers)),
        events=tuple(wanted.events),
        purposes=tuple(wanted.purposes),
    )


def _identifier(composition: Composition, text: str) -> Identifier:
    parsed = parse_identifier(text)
    normal = composition.normal(parsed) if parsed is not None else None
    if normal is None or not normal.value:
        raise InvalidInput("That is no identifier.", hint="Write it as TYPE:VALUE, as email:ann@example.org.")
    return normal


def _require_known(composition: Composition, identifiers: Sequence[Identifier]) -> None:
    with composition.state.read() as reader:
        for one in identifiers:
            if composition.identity.find(reader, one) is None:
                raise NotFound(
                    f"Nobody has this identifier of type {one.type}.",
                    hint="Look it up with `cauce profile show TYPE:VALUE`.",
                )


def wait_for(composition: Composition, position: Position, *, wait_seconds: float) -> bool:
    """Whether the log is folded up to a position, waiting for the worker."""
    deadline = monotonic() + wait_seconds
    while not _folded(composition, position):
        if monotonic() > deadline:
            return False
        sleep(_LOOK_SECONDS)
    return True


def fold_alone(composition: Composition, position: Position, clock: Clock) -> None:
    """Fold the log up to a position here, unless a worker runs."""
    space = composition.space
    if who_holds(space.worker_lock) is not None or who_holds(space.aside_lock) is not None:
        return
    with suppress(Conflict), process_lock(space.worker_lock, "folded"):  # else a worker began a moment ago
        worker = bring_into_force(composition.renewed(), clock).worker(clock)
        while worker.position < position and worker.step():
            pass


def _folded(composition: Composition, position: Position) -> bool:
    with composition.state.read() as reader:
        return reader.progress(LOG) >= position


def acts(composition: Composition, *, purpose: Purpose, viewer: Viewer) -> list[Act]:
    """Everything that was stated by hand, newest first; raises ``NotAllowed``."""
    composition.access.require(viewer, Scope.READ, purpose)
    return _all(composition)


def _said(body: bytes) -> Saying:
    fields: Any = decode_json(body)
    return msgspec.convert(fields["statement"], Saying)


def _read(composition: Composition, id_: str) -> Act | None:
    return next((one for one in _all(composition) if one.id == id_), None)


def _all(composition: Composition) -> list[Act]:
    head = composition.log.head()
    rows = log_rows(composition.log, head, pc.field("call") == Call.STATEMENT.value)
    found = sorted(rows, key=lambda row: row.position, reverse=True)
    said = [(row, _said(row.body)) for row in found]
    retracted = {id_ for _, saying in said if saying.op is Op.RETRACT for id_ in saying.events}
    return [
        Act(row.message_id, row.position, row.time, saying, row.message_id in retracted)
        for row, saying in said
    ]
