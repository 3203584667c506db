"""What destinations would be told: changes of membership, the members told anew, and what is dropped."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from cauce.activate.backfill import asks_for_members
from cauce.activate.delivery import SETTLED
from cauce.activate.records import delivery
from cauce.app.plan.model import Told
from cauce.app.plan.segments import Turnover, members_now
from cauce.app.plan.snapshot import Snapshot
from cauce.storage.records import Reader
from cauce.vocabulary.definitions import SegmentDef


def told(snapshot: Snapshot, turnovers: Iterable[Turnover]) -> list[Told]:
    """The deliveries of each destination that applying makes or drops, by name."""
    entering: Counter[str] = Counter()
    leaving: Counter[str] = Counter()
    old, new = snapshot.before.in_force.segments, snapshot.after.in_force.segments
    defined = snapshot.after.in_force.destinations
    by_key = {one.key: one for one in turnovers}
    for key, one in by_key.items():
        speaking = new.get(key) or old.get(key)
        for name in speaking.destinations if speaking else ():
            if name in defined:
                entering[name] += len(one.entering)
                leaving[name] += len(one.leaving)
    for key, names in _told_anew(snapshot, old, new).items():
        turnover = by_key.get(key)
        live = snapshot.before.live.get(key)
        staying = turnover.before & turnover.after if turnover else members_now(snapshot, key, live)
        for name in names:
            entering[name] += len(staying)
    dropped = waiting(snapshot.reader, snapshot.before.in_force.destinations.keys() - defined.keys())
    touched = {*+entering, *+leaving, *dropped}
    return [Told(name, entering[name], leaving[name], dropped.get(name, 0)) for name in sorted(touched)]


def _told_anew(
    snapshot: Snapshot, old: Mapping[str, SegmentDef], new: Mapping[str, SegmentDef]
) -> dict[str, list[str]]:
    """By segment, the destinations that it names for the first time and that ask for its present members."""
    defined = snapshot.after.in_force.destinations
    return {
        key: [
            name
            for name in one.destinations
            if name not in (old[key].destinations if key in old else ()) and asks_for_members(defined[name])
        ]
        for key, one in new.items()
    }


def waiting(reader: Reader, names: Iterable[str]) -> dict[str, int]:
    """How many deliveries wait for each of these destinations."""
    settled = [str(state) for state in SETTLED]
    counted = (
        select(delivery.c.destination, func.count())
        .where(delivery.c.destination.in_(sorted(names)), delivery.c.state.not_in(settled))
        .group_by(delivery.c.destination)
    )
    found: dict[str, int] = dict(reader.select(counted))
    return found
