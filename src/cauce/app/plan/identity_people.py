"""People before and after: who falls together and apart, as columns over identifiers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cauce.identity.bulk_evidence import Integers
from cauce.identity.stored_columns import NOBODY, Side

Booleans = npt.NDArray[np.bool_]


class Homes(NamedTuple):
    """For each identifier that either side knows, its profile before and after; -1 for none.

    Identifiers are in the order of those after; what only the side before knows comes last.
    ``keys`` holds ``type:value``.
    """

    keys: pa.ChunkedArray
    before: Integers
    after: Integers

    def edges(self) -> tuple[Integers, Integers]:
        """Every pair of a profile before and one after that have an identifier in common, each once."""
        both = (self.before != NOBODY) & (self.after != NOBODY)
        width = int(self.after.max(initial=0)) + 1
        pairs = np.unique(self.before[both] * width + self.after[both])
        return pairs // width, pairs % width


def homes(before: Side, after: Side) -> Homes:
    """Where the identifiers of two sides are, which may number them differently."""
    if before.keys is after.keys:
        return Homes(after.keys, before.profile, after.profile)
    place = pc.index_in(before.keys, value_set=after.keys).combine_chunks()
    place = pc.fill_null(place, NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
    unknown = np.flatnonzero(place == NOBODY)
    place[unknown] = len(after.keys) + np.arange(len(unknown))
    was = np.full(len(after.keys) + len(unknown), NOBODY, np.int64)
    was[place] = before.profile
    will_be = np.concatenate([after.profile, np.full(len(unknown), NOBODY, np.int64)])
    keys = pa.chunked_array([*after.keys.chunks, *before.keys.take(pa.array(unknown)).chunks], pa.string())
    return Homes(keys, was, will_be)


class Turned(NamedTuple):
    """Profiles that become others. Each pair of ``merging`` is a profile before, and the one after
    that it becomes with others; of ``splitting``, one before and one of those that it becomes.
    """

    before: int
    after: int
    vanish: int
    appear: int
    merging: tuple[Integers, Integers]
    splitting: tuple[Integers, Integers]


def turned(found: Homes) -> Turned:
    """Who becomes whom."""
    old, new = found.edges()
    people = tuple(_distinct(side[side != NOBODY]) for side in (found.before, found.after))
    merging, splitting = _shared(new), _shared(old)
    return Turned(
        before=people[0],
        after=people[1],
        vanish=people[0] - _distinct(old),
        appear=people[1] - _distinct(new),
        merging=(old[merging], new[merging]),
        splitting=(old[splitting], new[splitting]),
    )


def _distinct(numbers: Integers) -> int:
    return len(np.unique(numbers))


def _shared(numbers: Integers) -> Booleans:
    """Which of some numbers are there more than once."""
    return np.bincount(numbers)[numbers] > 1 if len(numbers) else np.zeros(0, np.bool_)


def largest(profiles: Integers, homes_: Integers, most: int) -> list[int]:
    """Those of some profiles that have the most identifiers, ties by their numbers."""
    some = np.unique(profiles)
    sizes = sizes_of(homes_)[some]
    order = np.lexsort((some, -sizes))[:most]
    found: list[int] = some[order].tolist()
    return found


def sizes_of(homes_: Integers) -> Integers:
    """How many identifiers each profile has, by its number."""
    return np.bincount(homes_[homes_ != NOBODY])
