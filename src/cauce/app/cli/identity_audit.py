"""`cauce identity audit`."""

from pathlib import Path
from typing import Annotated

import typer

from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.compose import Composition
from cauce.app.identity_audit import Audited, as_json, audit_space, write_proposal, yaml_of
from cauce.vocabulary.access import OPERATIONS, Purpose


def audit(
    space: SpaceOption = HERE,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write the proposed rules as YAML.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Change a file that is there.")] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Look at the identifiers of a space: what is shared, junk or mistyped; propose rules for it."""
    audited = audit_space(Composition(space), purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if write is not None:
        write_proposal(audited, write, force=force)
    if json:
        print_json(as_json(audited) | {"yaml": yaml_of(audited)})
        return
    _print(audited)
    if write is not None:
        print_line()
        print_line(f"{audited.proposal.changes} changes of the rules are proposed in {write}.")
    elif audited.proposal.changes:
        print_line()
        for line in yaml_of(audited).splitlines():
            print_line(line)


def _print(audited: Audited) -> None:
    report = audited.report
    print_line(f"{report.identifiers} identifiers of {report.people} people.")
    print_line()
    print_table(
        ("type", "in the rules", "values", "events", "owners are", "with one owner", "most owners"),
        [
            (
                one.type,
                "yes" if one.listed else "no",
                one.values,
                one.events,
                one.owner_type,
                f"{one.owners.get(1, 0) / sum(one.owners.values()):.2%}" if one.owners else "",
                max(one.owners, default=""),
            )
            for one in report.types
        ],
    )
    for one in report.findings:
        print_line()
        print_line(f"{one.kind} {one.type}: {one.people} people touched")
        print_line(f"  {one.says}")
        if one.rule:
            print_line(f"  Rule: {one.rule}.")
        if one.examples:
            shown = ", ".join(f"{example.value} ({example.counted})" for example in one.examples)
            print_line(f"  Examples: {shown}")
