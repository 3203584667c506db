"""The audit of a space's identifiers: what the data says about the rules.

Comes in: the evidence that the state keeps of every identifier. Goes out: figures of each
type, findings ranked by the people they touch, and from these a proposed ruleset
(``audit_proposal``). It reads everything in columns and changes nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from cauce.identity.audit_addresses import address_findings
from cauce.identity.audit_evidence import identifiers_kept, load
from cauce.identity.audit_measures import Measures
from cauce.identity.audit_model import Finding, Report, TypeFigures
from cauce.identity.audit_types import limit_of, owner_rank_of, type_findings
from cauce.identity.policy import Policy
from cauce.storage.records import Reader


def audit(reader: Reader, policy: Policy, view: str, *, scratch: Path, memory_mb: int) -> Report:
    """Look at the evidence of a state; what does not fit into memory is spilled to ``scratch``."""
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch) as folder:
        config: dict[str, Any] = {"memory_limit": f"{memory_mb}MB", "temp_directory": folder, "threads": 2}
        with closing(duckdb.connect(config=config)) as lake:
            types = load(lake, reader, policy, view)
            people = lake.execute("SELECT count(DISTINCT profile) FROM audit_person").fetchall()[0][0]
            measures = Measures(lake, types)
            figures = tuple(_figures(measures, policy))
            found = [*_findings(measures, policy, {one.type: one for one in figures})]
    found.sort(key=lambda one: (-one.people, -one.values, one.kind, one.type))
    return Report(identifiers=identifiers_kept(reader), people=people, types=figures, findings=tuple(found))


def _figures(measures: Measures, policy: Policy) -> Iterator[TypeFigures]:
    for rank, type_ in enumerate(measures.types):
        values = measures.values(rank)
        if not values:
            continue
        owner = owner_rank_of(measures, policy, rank)
        yield TypeFigures(
            type=type_,
            listed=type_ in policy.rank,
            values=values,
            events=measures.events(rank),
            owner_type="" if owner is None else measures.types[owner],
            owners={} if owner is None else measures.owners(rank, owner),
            per_person={} if owner is None else measures.per_person(rank, owner),
        )


def _findings(measures: Measures, policy: Policy, figures: Mapping[str, TypeFigures]) -> Iterator[Finding]:
    for one in figures.values():
        yield from type_findings(measures, policy, one)
    for one in figures.values():
        yield from limit_of(measures, policy, one)
    yield from address_findings(measures, figures)
