"""Rows with the same key, gathered wherever in the file they stand.

Files are mostly sorted: the lines of an invoice follow one another. A first
reading notes one hash for each run of equal keys and so finds the groups that
lie in several places. The second gives out every other group as soon as its run
ends. Memory holds 8 bytes a run, and the rows of groups that are not complete.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator

import numpy as np

from cauce.collect.files.rows import BadRow, Row

Key = Hashable
KeyOf = Callable[[Row], Key]


def scattered(rows: Iterable[Row | BadRow], key_of: KeyOf) -> dict[int, int]:
    """Hashes of keys that occur in more than one run, with the number of runs."""
    runs = array("q")
    last: Key = object()
    for row in rows:
        if isinstance(row, Row):
            key = key_of(row)
            if key != last:
                runs.append(hash(key))
                last = key
    values, counts = np.unique(np.frombuffer(runs, dtype=np.int64), return_counts=True)
    several = counts > 1
    return dict(zip(values[several].tolist(), counts[several].tolist(), strict=True))


def grouped(
    rows: Iterable[Row | BadRow], key_of: KeyOf, runs_left: dict[int, int]
) -> Iterator[list[Row] | BadRow]:
    """Each group once, complete, in the order in which they end; bad rows as they come.

    ``runs_left`` is what ``scattered`` found in the same file. The last group
    given is the one that the file ends in.
    """
    waiting: dict[Key, list[Row]] = {}
    run: list[Row] = []
    last: Key = None
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        key = key_of(row)
        if run and key == last:
            run.append(row)
            continue
        if run:
            yield from _ended(run, last, waiting, runs_left)
        run, last = [row], key
    yield from (group for key, group in waiting.items() if key != last)
    if run:
        yield waiting.get(last, []) + run


def _ended(
    run: list[Row], key: Key, waiting: dict[Key, list[Row]], runs_left: dict[int, int]
) -> Iterator[list[Row]]:
    """The group that ends with this run; nothing if more runs of it are to come."""
    left = runs_left.get(hash(key))
    if left is None:
        yield run
        return
    runs_left[hash(key)] = left - 1
    group = waiting.pop(key, [])
    group += run
    if left > 1:
        waiting[key] = group
    else:
        yield group
