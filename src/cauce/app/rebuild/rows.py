"""Rows of two stores compared, table by table, in the order of their keys."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, select

from cauce.identity import records as identity
from cauce.profile import records as profile
from cauce.segment import records as segment
from cauce.storage.records import Reader, Row
from cauce.vocabulary.errors import Conflict

COMPARED = (
    *(identity.identifiers, identity.signatures, identity.evidence, identity.members, identity.profiles),
    *(profile.fragment, profile.timeline, profile.timeline_folded, profile.group_fragment),
    *(profile.group_member, segment.membership),
)
"""Tables whose rows a rebuild derives as the stream does.

Timers are no difference: two of them may be set for different moments and lead to the
same changes at the same moments. Histories are carried over.
"""


class Changed(NamedTuple):
    """One row that differs: before None: it is new; after None: it is gone."""

    table: Table
    key: tuple[Any, ...]
    before: Row | None
    after: Row | None


def changed_rows(before: Reader, after: Reader, table: Table) -> Iterator[Changed]:
    """The rows of a table that are not the same in two stores, in the order of their keys."""
    width = [place for place, column in enumerate(table.columns) if column.primary_key]
    old, new = _keyed(before, table, width), _keyed(after, table, width)
    one, other = next(old, None), next(new, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield Changed(table, one[0], one[1], None)
            one = next(old, None)
        elif one is None or other[0] < one[0]:
            yield Changed(table, other[0], None, other[1])
            other = next(new, None)
        else:
            if one[1] != other[1] and not _same(table, one[1], other[1]):
                yield Changed(table, one[0], one[1], other[1])
            one, other = next(old, None), next(new, None)


def _same(table: Table, one: Row, other: Row) -> bool:
    """Whether two rows of one key say the same; since when somebody is in a segment is history."""
    return table is segment.membership and one[:2] == other[:2]


def _keyed(reader: Reader, table: Table, width: list[int]) -> Iterator[tuple[tuple[Any, ...], Row]]:
    for row in reader.scan(in_order(table)):
        yield tuple(row[place] for place in width), row


def in_order(table: Table) -> Select[Any]:
    """All rows of a table in the order of their key."""
    return select(table).order_by(*table.primary_key.columns)


def same_numbers(before: Reader, after: Reader) -> bool:
    """Whether both stores know an identifier by the same number."""
    pairs = zip(_numbers(before), _numbers(after), strict=False)
    return all(one == other for one, other in pairs)


def _numbers(reader: Reader) -> Iterator[Row]:
    table = identity.identifiers
    return reader.scan(select(table.c.id, table.c.key).order_by(table.c.id))


def translation(before: Reader, after: Reader) -> dict[int, int]:
    """The numbers of identifiers in one store by those in another; what has none gets a negative one."""
    numbers = {key: number for number, key in _numbers(after)}
    return {number: numbers.get(key, -number) for number, key in _numbers(before)}


class Unfit(Conflict):
    """A rebuilt state cannot take the place of the live one: other definitions made it."""

    code = "unfit_shadow"
