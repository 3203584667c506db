"""The audit of a space: read under a purpose, masked where that shows no values, written as rules."""

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cauce.app.compose import Composition
from cauce.app.definition_files import flow_text, yaml_text
from cauce.govern.access import Scope
from cauce.identity.audit import audit
from cauce.identity.audit_measures import Example
from cauce.identity.audit_model import Block, Finding, Report
from cauce.identity.audit_proposal import Proposal, propose
from cauce.identity.audit_values import mask
from cauce.identity.rules import Blocked, Ruleset, TypeRule
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.definitions import VIEW, IdentityDef
from cauce.vocabulary.definitions.canonical import plain, written_fields
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.moment import to_iso


class Audited(NamedTuple):
    """A report whose examples the viewer may see, and the rules that follow from it."""

    definition: IdentityDef
    report: Report
    proposal: Proposal
    shows_values: bool


def audit_space(composition: Composition, *, purpose: Purpose, viewer: Viewer) -> Audited:
    """Audit the identifiers of a space; raises ``NotAllowed`` if the viewer may not read for this purpose."""
    composition.access.require(viewer, Scope.READ, purpose)
    settings = composition.settings.identity
    scratch = composition.space.root / "scratch"
    with composition.state.read() as reader:
        report = audit(
            reader, composition.identity.policy, VIEW, scratch=scratch, memory_mb=settings.audit_memory_mb
        )
    shows = purpose in settings.audit_shows_values
    definition = composition.in_force.identities[VIEW]
    proposal = propose(definition.rules, report.findings, shows_values=shows)
    return Audited(definition, report if shows else masked(report), proposal, shows)


def masked(report: Report) -> Report:
    """The report with values masked and without those that rules would block because they are frequent."""
    findings = tuple(
        msgspec.structs.replace(
            one,
            examples=tuple(example._replace(value=mask(example.value)) for example in one.examples),
            changes=tuple(
                change for change in one.changes if not (isinstance(change, Block) and change.personal)
            ),
        )
        for one in report.findings
    )
    return msgspec.structs.replace(report, findings=findings)


def as_json(audited: Audited) -> dict[str, Any]:
    """An audit as a JSON document: figures, findings and the proposed rules."""
    report = audited.report
    return {
        "identifiers": report.identifiers,
        "people": report.people,
        "masked": not audited.shows_values,
        "types": [
            {
                "type": one.type,
                "listed": one.listed,
                "values": one.values,
                "events": one.events,
                "owner_type": one.owner_type,
                "owners": _histogram(one.owners),
                "per_person": _histogram(one.per_person),
            }
            for one in report.types
        ],
        "findings": [_finding(one) for one in report.findings],
        "proposal": {
            "changes": audited.proposal.changes,
            "withheld": audited.proposal.withheld,
            "rules": audited.proposal.rules,
        },
    }


def _histogram(counted: dict[int, int]) -> list[list[int]]:
    return [[many, counted[many]] for many in sorted(counted)]


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "type": one.type,
        "people": one.people,
        "values": one.values,
        "says": one.says,
        "rule": one.rule,
        "figures": one.figures,
        "examples": [_example(example) for example in one.examples],
    }


def _example(one: Example) -> dict[str, Any]:
    moments = {"first": one.first, "last": one.last}
    return {"value": one.value, "count": one.counted} | {
        name: None if at is None else to_iso(at) for name, at in moments.items()
    }


_WIDTH = 100
_ENTRIES: dict[str, type[msgspec.Struct]] = {"identifiers": TypeRule, "blocked": Blocked}


def _in_order(written: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The keys as the class has them, as people write them; those it does not have at the end."""
    known = [name for name in kind.__struct_fields__ if name in written]
    return {name: written[name] for name in (*known, *(name for name in written if name not in known))}


def yaml_of(audited: Audited) -> str:
    """The proposed definition as YAML that `cauce plan` takes, with a comment at every change."""
    definition, proposal = audited.definition, audited.proposal
    head = {name: value for name, value in plain(written_fields(definition)).items() if name != "rules"}
    lines = [
        "# The rules in force with what an audit proposes; read each comment, and try it with `cauce plan`.",
        *yaml_text(head).splitlines(),
        "rules:",
    ]
    for name, value in _in_order(proposal.rules, Ruleset).items():
        if name in ("identifiers", "blocked") and value:
            lines.append(f"  {name}:")
            for index, entry in enumerate(value):
                lines += _comment(proposal.remarks.get((name, index), ""))
                lines.append(f"    - {flow_text(_in_order(entry, _ENTRIES[name]))}")
        else:
            lines += textwrap.indent(yaml_text({name: value}), "  ").splitlines()
    if proposal.withheld:
        lines += _comment(
            f"{proposal.withheld} values to block are withheld: the purpose does not show values."
        )
    return "\n".join(lines) + "\n"


def _comment(remark: str) -> list[str]:
    lines = [part for line in remark.splitlines() for part in textwrap.wrap(line, _WIDTH)]
    return [f"    # {line}" for line in lines]


def write_proposal(audited: Audited, path: Path, *, force: bool = False) -> None:
    """Write the proposed rules; raises ``Conflict`` if that would change a file, unless ``force``."""
    text = yaml_of(audited)
    if path.exists() and not force and path.read_text("utf-8") != text:
        raise Conflict(f"{path} says something else.", hint="Name another file, or write it with --force.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
