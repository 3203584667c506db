"""Plans: the next events of the log dealt to lanes, as they are stored for whoever folds them."""

from collections.abc import Hashable, Iterable, Sequence

import msgspec

from cauce.app.pipeline import LOG, ROUND, Pipeline
from cauce.app.rounds.records import lanes
from cauce.identity.dealing import Dealt
from cauce.identity.resolve import keys_of
from cauce.identity.session import IDENTIFIERS, MOVES, SIGNATURES
from cauce.segment.session import CHANGES, Due
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Call, Event, Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class LanePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one lane is to fold.

    The round is the first ``count`` events above ``after``; ``upto`` and ``horizon`` are
    position and reception of its last one. ``positions`` are the lane's events, ``due``
    its timers, ``identifiers`` and ``signatures`` the numbers of new ones. ``progress`` are
    the counters as the round finds them, ``numbers`` those that it leaves.
    """

    after: Position
    count: int
    upto: Position
    horizon: Moment
    version: int
    positions: list[Position]
    due: list[tuple[int, int, str]]
    identifiers: dict[str, int]
    signatures: dict[str, int]
    progress: dict[str, int]
    numbers: dict[str, int]


read_plan = msgspec.msgpack.Decoder(LanePlan).decode
_write = msgspec.msgpack.Encoder().encode


def store_round(
    transaction: Transaction,
    pipeline: Pipeline,
    events: Sequence[Event],
    due: Sequence[Due],
    count: int,
) -> bool:
    """Deal events and due timers to ``count`` lanes and store the round; False if it is not worth it.

    Statements may change whoever they like: they are folded by one worker.
    """
    if any(event.call is Call.STATEMENT for event in events):
        return False
    dealt = pipeline.identity.deal(transaction, events, sorted({one.profile for one in due}))
    if dealt is None:
        return False
    shares = _shares(dealt, count)
    if len(shares) < 2:
        return False
    progress = {name: transaction.progress(name) for name in (LOG, IDENTIFIERS, SIGNATURES)}
    rows = []
    for lane, share in enumerate(shares, 1):
        mine = [event for event, one in zip(events, dealt.events, strict=True) if one in share]
        plan = LanePlan(
            after=Position(progress[LOG]),
            count=len(events),
            upto=events[-1].position,
            horizon=events[-1].received,
            version=pipeline.version,
            positions=[event.position for event in mine],
            due=[(one.due, one.profile, one.segment) for one in due if dealt.profiles[one.profile] in share],
            identifiers=_named_by(mine, dealt.given.identifiers),
            signatures=dealt.given.signatures,
            progress={**progress, MOVES: 0, CHANGES: 0},
            numbers={IDENTIFIERS: dealt.last_identifier, SIGNATURES: dealt.last_signature},
        )
        rows.append((lane, 0, _write(plan), b""))
    transaction.put(lanes, rows)
    transaction.advance(ROUND, events[-1].position)
    return True


def _shares(dealt: Dealt, count: int) -> list[set[Hashable]]:
    """The components dealt to lanes, the largest first, each to the lane that has least."""
    sizes: dict[Hashable, int] = dict.fromkeys(dealt.profiles.values(), 1)
    for component in dealt.events:
        sizes[component] = sizes.get(component, 0) + 1
    shares: list[set[Hashable]] = [set() for _ in range(count)]
    loads = [0] * count
    for component, size in sorted(sizes.items(), key=lambda one: -one[1]):
        lane = loads.index(min(loads))
        shares[lane].add(component)
        loads[lane] += size
    return [share for share in shares if share]


def _named_by(events: Iterable[Event], numbers: dict[str, int]) -> dict[str, int]:
    return {key: numbers[key] for event in events for key in keys_of(event.identifiers) if key in numbers}


def due_of(plan: LanePlan) -> list[Due]:
    """The timers of a lane."""
    return [Due(Moment(due), ProfileKey(profile), segment) for due, profile, segment in plan.due]
