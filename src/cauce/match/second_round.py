"""The second round: clusters compared as people, not record by record.

A record that says little (an e-mail address alone) speaks against nobody and for
nobody. Beside its cluster it counts as one person who has a name, a telephone and
two addresses. So clusters between which there is a candidate pair are compared
once more, each by the values that most of its records have.
"""

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cauce.match.clusters import Links, clusters
from cauce.match.model import Guards, Model
from cauce.match.scoring import Pairs, make_ready, score_these
from cauce.match.splink_engine import Engine

SURER = 2.0
"""How much more clusters must speak for one another than records, as log2 of the odds."""


def join_clusters(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    pairs: Pairs,
    labels: NDArray[np.int64],
    *,
    sources: Sequence[str | None] = (),
) -> NDArray[np.int64]:
    """The clusters after those have joined that speak for one another as a whole.

    Reads the features of ``records``; ``pairs`` are the candidates of the first round.
    """
    a, b = _neighbours(pairs, labels)
    if not len(a):
        return labels
    involved = np.unique(np.concatenate([a, b]))
    _gather(connection, labels, involved)
    make_ready(connection, model, "gathered", "gathered_ready")
    scored = score_these(Engine(connection, model, "gathered_ready"), a, b)
    place = np.zeros(len(labels), dtype=np.int64)
    place[involved] = np.arange(len(involved))
    links = Links(place[scored.a], place[scored.b], scored.weight, model.candidate)
    least = model.join + SURER
    apart = _apart(labels, involved, links, sources, model.guards)
    joined = involved[
        clusters(len(involved), links, least, Guards(density=model.guards.density), apart=apart)
    ]
    found = labels.copy()
    touched = np.isin(labels, involved)
    found[touched] = joined[place[labels[touched]]]
    return found


def _neighbours(pairs: Pairs, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of clusters, one of several records at least, that have a candidate pair between them."""
    one, other = labels[pairs.a], labels[pairs.b]
    sizes = np.bincount(labels, minlength=len(labels))
    chosen = (one != other) & (sizes[one] + sizes[other] > 2)
    both = np.stack([np.minimum(one, other)[chosen], np.maximum(one, other)[chosen]], axis=1)
    distinct = np.unique(both, axis=0) if len(both) else both
    return distinct[:, 0], distinct[:, 1]


def _gather(
    connection: duckdb.DuckDBPyConnection, labels: NDArray[np.int64], involved: NDArray[np.int64]
) -> None:
    """Make ``gathered``: for each cluster involved the value of every feature that most records have."""
    members = np.flatnonzero(np.isin(labels, involved))
    connection.register("member_records", pa.table({"record": members, "label": labels[members]}))
    described = connection.execute("SELECT * FROM records LIMIT 0").description or []
    features = [name for name, *_ in described if name != "unique_id"]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE members AS SELECT m.label, r.* FROM member_records m "
        "JOIN records r ON r.unique_id = m.record"
    )
    connection.unregister("member_records")
    joins = " ".join(f"LEFT JOIN ({_most(name)}) USING (label)" for name in features)
    columns = ", ".join(["label AS unique_id", *features])
    connection.execute(
        f"CREATE OR REPLACE TABLE gathered AS SELECT {columns} "
        f"FROM (SELECT DISTINCT label FROM members) {joins}"
    )


def _most(feature: str) -> str:
    """SQL of the value of a feature that most of a cluster's records have; of several the smallest."""
    return (
        f"SELECT label, first(value ORDER BY n DESC, value) AS {feature} FROM "
        f"(SELECT label, {feature} AS value, count(*) AS n FROM members WHERE {feature} IS NOT NULL "
        "GROUP BY ALL) GROUP BY label"
    )


def _apart(
    labels: NDArray[np.int64],
    involved: NDArray[np.int64],
    links: Links,
    sources: Sequence[str | None],
    guards: Guards,
) -> Iterable[tuple[int, int]]:
    """Clusters that must not meet: together too large, or both with a record of a source that has one."""
    sizes = np.bincount(labels, minlength=len(labels))
    held: dict[int, set[str]] = {}
    for label, source in zip(labels.tolist(), sources, strict=False):
        if source in guards.one_to_one and source is not None:
            held.setdefault(label, set()).add(source)
    for one, other in zip(links.a.tolist(), links.b.tolist(), strict=True):
        first, second = int(involved[one]), int(involved[other])
        if sizes[first] + sizes[second] > guards.size or held.get(first, set()) & held.get(second, set()):
            yield one, other
