"""Proposals to join the old and the new addresses of a company, each pair with its evidence."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from cauce.app.compose import Composition
from cauce.eventlog.port import Outcome
from cauce.govern.access import Scope
from cauce.identity import records
from cauce.identity.carried import carried_by
from cauce.identity.domain_rename import (
    Form,
    Pair,
    pair_up,
    read_form,
    retract_statement,
    same_statement,
)
from cauce.storage.records import Reader
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput, NotAllowed
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment, to_iso
from cauce.vocabulary.profile import ProfileKey
from cauce.vocabulary.statement import Op, Saying

TYPE = "email"

JOIN, JOINED, CONTRADICTION = "join", "joined already", "two people"


class Evidence(NamedTuple):
    """What speaks for a pair and against it.

    ``verdict``: ``join``, ``joined already``, or ``two people``: the two have different values
    of a type of which a person has one. ``overlap``: the old one was seen after the new one.
    """

    pair: Pair
    verdict: str
    old_events: int
    old_last: Moment
    new_events: int
    new_first: Moment
    contradiction: str = ""

    @property
    def overlap(self) -> bool:
        """Whether both were in use at one time, which speaks neither for nor against."""
        return self.old_last > self.new_first


class Renaming(NamedTuple):
    """A proposal: the pairs with their evidence, and what is ambiguous.

    ``possible``: every pair that it joins, joined, or would have joined with less data.
    """

    name: str
    pairs: list[Evidence]
    ambiguous: dict[str, list[str]]
    possible: list[Pair]

    def statements(self, at: Moment) -> list[dict[str, Any]]:
        """The statements that join what is to be joined; the same ids whenever they are made."""
        return [same_statement(self.name, TYPE, one.pair, at=at) for one in self._to_join()]

    def undo(self, at: Moment) -> list[dict[str, Any]]:
        """The statement that takes back every pair that this name may ever have joined."""
        return [retract_statement(self.name, self.possible, at=at)] if self.possible else []

    def _to_join(self) -> list[Evidence]:
        return [one for one in self.pairs if one.verdict == JOIN]


def propose_renaming(
    composition: Composition,
    old: str,
    new: str,
    form: str = "",
    *,
    name: str = "",
    purpose: Purpose,
    viewer: Viewer,
) -> Renaming:
    """The pairs of old and new addresses in a space.

    ``name`` is part of the ids of the statements. Raises ``NotAllowed`` if the viewer may
    not read for this purpose, and ``InvalidInput`` for what are no two forms or domains.
    """
    composition.access.require(viewer, Scope.READ, purpose)
    old, new = _domain(old), _domain(new)
    read = read_form(form) if form else None
    if old == new and read is None:
        raise InvalidInput(
            "Both domains are the same.", hint="Say how the form changed, with --format OLD:NEW."
        )
    name = name or " ".join(part for part in ("rename-domain", old, new, form) if part)
    with composition.state.read() as reader:
        return _propose(composition, reader, name, old, new, read)


def _propose(
    composition: Composition, reader: Reader, name: str, old: str, new: str, form: Form | None
) -> Renaming:
    known = _addresses(reader, {old, new})
    pairs = pair_up(known, old, new, form)
    found = [_evidence(composition, reader, pair) for pair in pairs.clear]
    unclear = [Pair(before, after) for before, several in pairs.ambiguous.items() for after in several]
    clear = [one for one in found if one is not None]
    return Renaming(name, clear, pairs.ambiguous, [*pairs.clear, *unclear])


def _domain(text: str) -> str:
    domain = text.strip().lower().removeprefix("@")
    if not domain or "@" in domain or "." not in domain.strip("."):
        raise InvalidInput(f"{text} is no domain.", hint="Write it as in an address, such as firm.example.")
    return domain


def _addresses(reader: Reader, domains: Iterable[str]) -> list[str]:
    """The addresses of some domains that the state knows."""
    key, prefix = records.identifiers.c.key, f"{TYPE}:"
    found = []
    for domain in sorted(domains):
        ending = f"@{domain}"
        rows = reader.scan(select(key).where(key.endswith(ending, autoescape=True)))
        found += [row[0].removeprefix(prefix) for row in rows if row[0].startswith(prefix)]
    return found


def _evidence(composition: Composition, reader: Reader, pair: Pair) -> Evidence | None:
    """What the state says of a pair; None if one of them is in no profile of the view."""
    identity = composition.identity
    profiles = [identity.find(reader, Identifier(TYPE, address)) for address in pair]
    if None in profiles:
        return None
    keys = [key for key in profiles if key is not None]
    singles = _singles(composition, reader, keys)
    contradiction = _contradiction(singles) if keys[0] != keys[1] else ""
    verdict = JOINED if keys[0] == keys[1] else CONTRADICTION if contradiction else JOIN
    (old_events, _, old_last), (new_events, new_first, _) = (
        _seen(composition, reader, key, address) for key, address in zip(keys, pair, strict=True)
    )
    return Evidence(pair, verdict, old_events, old_last, new_events, new_first, contradiction)


def _singles(
    composition: Composition, reader: Reader, keys: Sequence[ProfileKey]
) -> list[dict[str, set[str]]]:
    """For each profile its values of the types of which a person has one."""
    described = composition.identity.describe(reader, keys)
    found = []
    for key in keys:
        values: dict[str, set[str]] = {}
        for one in described[key].identifiers:
            if one.type in composition.identity.policy.singles:
                values.setdefault(one.type, set()).add(one.value)
        found.append(values)
    return found


def _contradiction(singles: Sequence[dict[str, set[str]]]) -> str:
    one, other = singles
    types = sorted(type_ for type_ in one.keys() & other.keys() if one[type_] != other[type_])
    return types[0] if types else ""


def _seen(
    composition: Composition, reader: Reader, key: ProfileKey, address: str
) -> tuple[int, Moment, Moment]:
    """How many events of a profile carried an address, and when first and last."""
    signatures = composition.identity.describe(reader, [key])[key].signatures
    wanted = Identifier(TYPE, address)
    told = [
        seen
        for one in carried_by(reader, list(signatures)).values()
        if wanted in one.identifiers
        for seen in one.sources.values()
    ]
    nothing = (0, Moment(0), Moment(0))
    return (
        (sum(one[0] for one in told), min(one[1] for one in told), max(one[2] for one in told))
        if told
        else nothing
    )


class Stated(NamedTuple):
    """What became of statements: how many are new in the log, how many were there, and up to where."""

    new: int
    known: int
    upto: Position


def state_all(
    composition: Composition,
    statements: Sequence[dict[str, Any]],
    reason: str,
    *,
    now: Moment,
    viewer: Viewer,
) -> Stated:
    """Put statements of a renaming into the log, where the fold finds them.

    One that is there already, whoever made it and why, stays as it is. Raises
    ``NotAllowed`` if the viewer may not write, ``InvalidInput`` without a reason.
    """
    if Scope.WRITE not in viewer.scopes:
        raise NotAllowed(
            f"{viewer.name} lacks the scope {Scope.WRITE}.",
            hint=f"Use a key that has it: `cauce key create api NAME --scope {Scope.WRITE}`.",
        )
    if not reason.strip():
        raise InvalidInput(
            "Joining people needs a reason.", hint="Say why with --reason, for who looks later."
        )
    told = [_accepted(one, viewer.name, reason.strip(), now) for one in statements]
    new = 0
    for start in range(0, len(told), _AT_ONCE):
        outcomes = composition.log.append(told[start : start + _AT_ONCE], [], now=now)
        new += outcomes.count(Outcome.ACCEPTED)
    return Stated(new, len(told) - new, composition.log.head())


_AT_ONCE = 1_000


def _accepted(statement: dict[str, Any], by: str, reason: str, now: Moment) -> Accepted:
    saying = Saying(
        op=Op(statement["op"]),
        by=by,
        reason=reason,
        identifiers=tuple(f"{TYPE}:{address}" for address in statement.get("ids", {}).get(TYPE, ())),
        events=tuple(statement.get("events", ())),
    )
    return Accepted(
        message_id=statement["id"], time=now, call=Call.STATEMENT, name="", source="", body=saying.body()
    )


def as_json(found: Renaming, statements: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A proposal as a JSON document."""
    return {
        "name": found.name,
        "pairs": [
            {
                "old": one.pair.old,
                "new": one.pair.new,
                "verdict": one.verdict,
                "contradiction": one.contradiction,
                "old_events": one.old_events,
                "old_last": to_iso(one.old_last),
                "new_events": one.new_events,
                "new_first": to_iso(one.new_first),
                "overlap": one.overlap,
            }
            for one in found.pairs
        ],
        "ambiguous": found.ambiguous,
        "statements": list(statements),
    }
