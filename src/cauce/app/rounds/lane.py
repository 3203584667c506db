"""A lane: what its transaction may touch, and how the last one ends the round."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, Table, select

from cauce.app.pipeline import CLOCK, LOG, ROUND
from cauce.app.rounds.plan import LanePlan
from cauce.app.rounds.records import lanes
from cauce.identity.records import moves
from cauce.identity.session import MOVES
from cauce.segment.records import membership_change
from cauce.segment.session import CHANGES
from cauce.storage.records import Row, Transaction, progress
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment

Order = tuple[int, int, int, int, str, int]
"""Where a change stands in the feed: the event before which a timer fired, or which caused it."""


Reception = Sequence[tuple[Moment, Position]]
"""When each event of the round was received, in order."""


class LaneResult(msgspec.Struct, kw_only=True):
    """What a lane adds to the feeds, whose numbers are given at the end of the round."""

    moves: list[tuple[Any, ...]] = []
    changes: list[tuple[Order, tuple[Any, ...]]] = []
    progress: dict[str, int] = {}


class LaneTransaction:
    """A transaction of one lane: feeds and positions, which all lanes share, are kept for the end."""

    def __init__(
        self, transaction: Transaction, plan: LanePlan, reception: Sequence[tuple[Moment, Position]]
    ):
        self._inner = transaction
        self._plan = plan
        self._reception = reception
        self.result = LaneResult(moves=[], changes=[], progress={})

    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """Rows by key."""
        return self._inner.rows(table, column, keys, **equal)

    def select(self, statement: Select[Any]) -> list[Row]:
        """Rows of any select."""
        return self._inner.select(statement)

    def scan(self, statement: Select[Any]) -> Iterator[Row]:
        """Rows of any select, one after another."""
        return self._inner.scan(statement)

    def progress(self, name: str) -> int:
        """How far a consumer had come when the round began, or has come in this lane."""
        if name in self._plan.progress:
            return self._plan.progress[name]
        known = self.result.progress.get(name)
        return self._inner.progress(name) if known is None else known

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert or replace rows; those of the feeds are kept for the end of the round."""
        if table is moves:
            self.result.moves.extend(rows)
        elif table is membership_change:
            start = len(self.result.changes)
            self.result.changes.extend(
                (self._order(row, number), row) for number, row in enumerate(rows, start)
            )
        else:
            self._inner.put(table, rows)

    def _order(self, change: Row, number: int) -> Order:
        _, segment, profile, _, _, at, position, _ = change
        if position:
            return position, 1, 0, 0, "", number
        return self._fired_before(at), 0, at, profile, segment, number

    def _fired_before(self, due: Moment) -> Position:
        """The first event of the round that was received when a timer was due, or later."""
        low, high = 0, len(self._reception) - 1
        while low < high:
            middle = (low + high) // 2
            if self._reception[middle][0] >= due:
                high = middle
            else:
                low = middle + 1
        return self._reception[low][1]

    def remove(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> None:
        """Delete rows by key."""
        self._inner.remove(table, column, keys, **equal)

    def clear(self, table: Table) -> None:
        """Refuse: a table is never one lane's."""
        raise AssertionError(f"a lane must not clear {table.name}")

    def advance(self, name: str, value: int) -> None:
        """Keep how far a consumer has come for the end of the round."""
        self.result.progress[name] = max(value, self.result.progress.get(name, value))


_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(LaneResult).decode


def end_lane(transaction: Transaction, lane: int, plan: LanePlan, result: LaneResult) -> bool:
    """Note that a lane is folded; whether it was the last one, which ends the round."""
    transaction.put(lanes, [(lane, 1, b"", _write(result))])
    transaction.select(select(progress).where(progress.c.name == ROUND).with_for_update())
    others = transaction.select(select(lanes.c.done, lanes.c.result))
    if not all(done for done, _ in others):
        return False
    _end_round(transaction, plan, [_read(one) for _, one in others])
    return True


def _end_round(transaction: Transaction, plan: LanePlan, results: Sequence[LaneResult]) -> None:
    """Number the feeds in the order of the log, and move the positions on."""
    moved = sorted((row for one in results for row in one.moves), key=lambda row: (row[5], row[2]))
    first = transaction.progress(MOVES) + 1
    transaction.put(moves, [(number, *row[1:]) for number, row in enumerate(moved, first)])
    changed = sorted(change for one in results for change in one.changes)
    number = transaction.progress(CHANGES)
    rows = [(sequence, *row[1:]) for sequence, (_, row) in enumerate(changed, number + 1)]
    transaction.put(membership_change, rows)
    values = _reached(transaction, results) | plan.numbers
    values |= {MOVES: first - 1 + len(moved), CHANGES: number + len(rows), LOG: plan.upto}
    values[CLOCK] = max(plan.horizon, transaction.progress(CLOCK))
    transaction.put(progress, sorted(values.items()))
    transaction.remove(progress, "name", [ROUND])
    transaction.clear(lanes)


def _reached(transaction: Transaction, results: Sequence[LaneResult]) -> dict[str, int]:
    """How far each other consumer has come in any lane; none goes back."""
    reached: dict[str, int] = {}
    for one in results:
        for name, value in one.progress.items():
            reached[name] = max(value, reached.get(name, value))
    return {name: max(value, transaction.progress(name)) for name, value in reached.items()}
