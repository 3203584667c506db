"""`cauce doctor`."""

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line
from cauce.app.compose import Composition
from cauce.app.doctor import examine
from cauce.app.doctor.findings import Level
from cauce.app.exit_codes import FAILURE
from cauce.vocabulary import moment

app = typer.Typer()


@app.command()
def doctor(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Look at a space and say what to do; fails if something does not work."""
    findings = examine(Composition(space), moment.now)
    if json:
        print_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            print_line(f"{finding.level:<8} {finding.check:<12} {finding.message}")
            if finding.advice:
                print_line(f"{'':<21} → {finding.advice}")
    if any(finding.level is Level.ERROR for finding in findings):
        raise typer.Exit(FAILURE)
