"""Audits of records whose truth is known: folded into a store of any engine, and looked at."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cauce.identity.audit import audit
from cauce.identity.audit_model import Finding, Report
from cauce.identity.rules import read_rules
from cauce.identity.service import Identity
from cauce.storage.records import Records
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment


class Sighting(NamedTuple):
    """Identifiers that were seen together."""

    identifiers: tuple[Identifier, ...]
    time: Moment
    source: str = "web"


def audited(store: Records, rules: Mapping[str, Any], sightings: Iterable[Sighting], scratch: Path) -> Report:
    """The audit of some sightings under some rules."""
    identity = Identity("person", read_rules(rules))
    seen = list(sightings)
    with store.write() as transaction:
        session = identity.begin(transaction, [one.identifiers for one in seen])
        for number, one in enumerate(seen, 1):
            session.observe(one.identifiers, time=one.time, source=one.source, position=Position(number))
        session.save()
    with store.read() as reader:
        return audit(reader, identity.policy, "person", scratch=scratch, memory_mb=256)


def only(report: Report, kind: str, type_: str) -> Finding:
    """The one finding of a kind about a type."""
    found = [one for one in report.findings if one.kind == kind and one.type == type_]
    assert len(found) == 1, [(one.kind, one.type) for one in report.findings]
    return found[0]


def values(finding: Finding) -> set[str]:
    """The values that a finding shows."""
    return {one.value for one in finding.examples}
