"""The review queue: pairs of people who may be one, side by side, until somebody decides on each.

Accepting a pair states that the two are one, refusing it that they never are, and undoing
takes the statement back: all three are acts on identity, kept in the log with a reason.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from cauce.app.candidate_file import CandidatePair, kept_in
from cauce.app.compose import Composition
from cauce.app.identity_acts import Act, acts
from cauce.identity.service import Identity
from cauce.profile.service import Profile
from cauce.storage.records import Reader
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.identifier import parse_identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey
from cauce.vocabulary.statement import PAIRS

Standing = Literal["same", "different", "one_sided"]


class Row(NamedTuple):
    """What two records say of one thing: a trait, or identifiers of one type."""

    name: str
    one: list[str]
    other: list[str]
    standing: Standing


class Waiting(NamedTuple):
    """A pair that nobody has decided on: an identifier and the profile id of each, and what differs."""

    one: str
    other: str
    profile_ids: tuple[str, str]
    weight: float
    steps: Sequence[tuple[str, str, float]]
    rows: list[Row]


class Queue(NamedTuple):
    """The pairs that wait, likeliest first; ``looked`` is false if nobody looked for candidates yet.

    ``decided`` are the statements about two identifiers that hold, newest first.
    """

    looked: bool
    waiting: list[Waiting]
    more: bool
    decided: list[Act]


def review_queue(
    composition: Composition, *, limit: int, at: Moment, purpose: Purpose, viewer: Viewer
) -> Queue:
    """The first ``limit`` pairs that wait, as of a moment, and what was decided before.

    Raises ``NotAllowed`` if the viewer may not read for this purpose.
    """
    decided = [
        one
        for one in acts(composition, purpose=purpose, viewer=viewer)
        if one.saying.op in PAIRS and not one.retracted
    ]
    kept = kept_in(composition.space.candidates)
    if kept is None:
        return Queue(False, [], False, decided)
    with composition.state.read() as reader:
        undecided = _undecided(composition.identity, reader, kept.pairs, decided)
        chosen = [pair for pair, _ in zip(undecided, range(limit + 1), strict=False)]

    def record(text: str) -> Profile | None:
        identifier = parse_identifier(text)
        if identifier is None:
            return None
        return composition.profiles.read(identifier, at=at, purpose=purpose, viewer=viewer)

    both = [(pair, record(pair.one), record(pair.other)) for pair in chosen[:limit]]
    waiting = [_waiting(pair, one, other) for pair, one, other in both if one and other]
    return Queue(True, waiting, len(chosen) > limit, decided)


def _undecided(
    identity: Identity, reader: Reader, pairs: Sequence[CandidatePair], decided: Sequence[Act]
) -> Iterator[CandidatePair]:
    """The pairs of people who are two still, and of whom nothing is stated; each once."""
    settled = {_people(identity, reader, act.saying.identifiers) for act in decided}
    for pair in pairs:
        people = _people(identity, reader, (pair.one, pair.other))
        if len(people) == 2 and people not in settled:
            settled.add(people)
            yield pair


def _people(identity: Identity, reader: Reader, texts: Sequence[str]) -> frozenset[ProfileKey]:
    """The profiles that have these identifiers."""
    identifiers = filter(None, map(parse_identifier, texts))
    found = (identity.find(reader, identifier) for identifier in identifiers)
    return frozenset(one for one in found if one is not None)


def _waiting(pair: CandidatePair, one: Profile, other: Profile) -> Waiting:
    return Waiting(
        pair.one,
        pair.other,
        (one.profile_id, other.profile_id),
        pair.weight,
        pair.steps,
        _rows(one, other),
    )


def _rows(one: Profile, other: Profile) -> list[Row]:
    """Identifiers by type, then traits; a trait that says the same as identifiers of its name is left out."""
    rows = _compared(_by_type(one), _by_type(other))
    return rows + [row for row in _compared(_traits(one), _traits(other)) if row not in rows]


def _by_type(profile: Profile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for identifier in profile.identifiers:
        found.setdefault(identifier.type, []).append(identifier.value)
    return found


def _traits(profile: Profile) -> dict[str, list[str]]:
    return {name: [text_of(golden.value)] for name, golden in sorted(profile.traits.items())}


def text_of(value: Any) -> str:
    """A trait's value as text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else encode_json(value).decode()


def _compared(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[Row]:
    """A row for each name, what both have first."""
    names = sorted(dict.fromkeys([*one, *other]), key=lambda name: not (name in one and name in other))
    return [_row(name, one.get(name, []), other.get(name, [])) for name in names]


def _row(name: str, one: list[str], other: list[str]) -> Row:
    standing: Standing = "different"
    if not one or not other:
        standing = "one_sided"
    elif set(one) == set(other):
        standing = "same"
    return Row(name, one, other, standing)
