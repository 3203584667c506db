"""Rows of identity's tables in bulk, as Arrow columns in the order of each table's key.

Lists are the same JSON text as in the stream: types in order of name, ids ascending.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cauce.identity.bulk_evidence import Integers
from cauce.identity.bulk_partition import Identifiers, Partition
from cauce.identity.graph import NO_CUT
from cauce.identity.naming import Names
from cauce.identity.policy import Policy

_ROWS = 100_000
"""Rows of a batch."""


def identifier_rows(identifiers: Identifiers) -> Iterator[pa.RecordBatch]:
    """Rows of ``identifier``."""
    count = len(identifiers.hashes)
    table = pa.table({"id": np.arange(1, count + 1), "hash": identifiers.hashes, "key": identifiers.keys})
    yield from table.to_batches(max_chunksize=_ROWS)


def member_rows(
    view: int, identifiers: Identifiers, found: Partition, policy: Policy
) -> Iterator[pa.RecordBatch]:
    """Rows of ``identity_member``."""
    live = np.flatnonzero(found.profile >= 0)
    types = _Types(policy)
    links = _Nested.of_links(*_plain_links(found, identifiers, types), types)
    signatures = _Nested.of_linking(found)
    cut = found.cuts.cut
    for start in range(0, len(live), _ROWS):
        ids = live[start : start + _ROWS]
        link_texts = links.texts(ids, "{", "}")
        signature_texts = signatures.texts(ids, "[", "]")
        link_texts, signature_texts = _as_noted(ids, link_texts, signature_texts, found)
        yield pa.record_batch(
            {
                "view": np.full(len(ids), view),
                "identifier": ids + 1,
                "profile": found.profile[ids],
                "first_time": identifiers.first_times[ids],
                "cut": pa.array(cut[ids], mask=cut[ids] == NO_CUT),
                "links": link_texts,
                "signatures": signature_texts,
            }
        )


def profile_rows(
    view: int, identifiers: Identifiers, found: Partition, names: Names, policy: Policy
) -> Iterator[pa.RecordBatch]:
    """Rows of ``identity_profile``."""
    types = _Types(policy)
    live = np.flatnonzero(found.profile >= 0)
    members = _Nested.of_links(found.profile[live] - 1, types.place[identifiers.ranks[live]], live + 1, types)
    owned = np.flatnonzero(found.owner >= 0)
    signatures = _Nested.flat(found.profile[found.owner[owned] - 1] - 1, owned + 1)
    anchors = np.unique(found.profile[live])
    for start in range(0, len(anchors), _ROWS):
        keys = anchors[start : start + _ROWS]
        anchor_keys = identifiers.keys.take(pa.array(keys - 1)).to_pylist()
        yield pa.record_batch(
            {
                "view": np.full(len(keys), view),
                "profile": keys,
                "profile_id": pa.array(map(names.profile_id, anchor_keys), pa.string()),
                "members": members.texts(keys - 1, "{", "}"),
                "signatures": signatures.texts(keys - 1, "[", "]"),
            }
        )


class _Types:
    """Identifier types in the order of their names, in which JSON lists them."""

    def __init__(self, policy: Policy) -> None:
        ordered = sorted(policy.types)
        self.place = np.array([ordered.index(type_) for type_ in policy.types], np.int64)
        """By rank."""
        self.labels = pa.array([msgspec.json.encode(type_).decode() + ":[" for type_ in ordered])


class _Nested:
    """For each of some numbers ascending, a text for each of its parts, joined by commas."""

    def __init__(self, keys: Integers, parts: pa.Array) -> None:
        self._keys = keys
        self._parts = parts

    @classmethod
    def flat(cls, keys: Integers, ids: Integers) -> "_Nested":
        """The ids of each key, ascending, each once."""
        keys, ids = _distinct(keys, ids)
        return cls(keys, pc.cast(pa.array(ids), pa.string()))

    @classmethod
    def of_linking(cls, found: Partition) -> "_Nested":
        """The signatures that link each identifier."""
        signatures, members = found.linking
        return cls.flat(members, signatures + 1)

    @classmethod
    def of_links(cls, keys: Integers, types: Integers, ids: Integers, names: _Types) -> "_Nested":
        """The ids of each key by type: ``"type":[1,2]`` for each."""
        width = len(names.labels)
        lists = cls.flat(keys * width + types, ids)
        edges = _edges(lists._keys)
        by_type = pc.binary_join(_listed(lists._parts, edges), ",")
        places = lists._keys[edges[:-1]]
        labels = names.labels.take(pa.array(places % width))
        return cls(places // width, pc.binary_join_element_wise(labels, by_type, "]", ""))

    def texts(self, keys: Integers, before: str, after: str) -> pa.Array:
        """The text of each of some keys ascending, in brackets."""
        starts, ends = np.searchsorted(self._keys, keys), np.searchsorted(self._keys, keys, side="right")
        first, last = (int(starts[0]), int(ends[-1])) if len(keys) else (0, 0)
        parts = self._parts.slice(first, last - first)
        if len(parts) != int((ends - starts).sum()):
            parts = parts.filter(pa.array(np.isin(self._keys[first:last], keys)))
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        joined = pc.binary_join(_listed(parts, offsets), ",")
        return pc.binary_join_element_wise(before, joined, after, "")


def _edges(keys: Integers) -> Integers:
    """Where runs of equal keys begin, and the end."""
    if not len(keys):
        return np.zeros(1, np.int64)
    return np.concatenate([[0], np.flatnonzero(np.diff(keys)) + 1, [len(keys)]])


def _listed(parts: pa.Array, offsets: Integers) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), parts)


def _distinct(keys: Integers, ids: Integers) -> tuple[Integers, Integers]:
    """Pairs sorted and each once."""
    if not len(keys):
        return keys, ids
    width = int(ids.max()) + 1
    if int(keys.max()) < np.iinfo(np.int64).max // width - 1:
        both = np.sort(keys * width + ids)  # np.unique hashes, which takes four times as long
        both = both[np.concatenate([[True], np.diff(both) != 0])]
        return both // width, both % width
    order = np.lexsort((ids, keys))
    keys, ids = keys[order], ids[order]
    new = np.concatenate([[True], (np.diff(keys) != 0) | (np.diff(ids) != 0)])
    return keys[new], ids[new]


def _plain_links(
    found: Partition, identifiers: Identifiers, types: _Types
) -> tuple[Integers, Integers, Integers]:
    """Identifier, type of the other and its id, for all links."""
    one, other = found.pairs
    return one, types.place[identifiers.ranks[other]], other + 1


def _as_noted(
    ids: Integers, links: pa.Array, signatures: pa.Array, found: Partition
) -> tuple[pa.Array, pa.Array]:
    """The same, with what the stream's code has noted of identifiers in many signatures."""
    noted = found.cuts.noted
    which = [place for place, id_ in enumerate(ids.tolist()) if id_ in noted] if noted else []
    if not which:
        return links, signatures
    texts = [noted[int(ids[place])].texts() for place in which]
    mask = np.zeros(len(ids), np.bool_)
    mask[which] = True
    return _replaced(links, mask, [text for text, _ in texts]), _replaced(
        signatures, mask, [text for _, text in texts]
    )


def _replaced(column: pa.Array, mask: object, values: Sequence[str]) -> pa.Array:
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values, pa.string()))
