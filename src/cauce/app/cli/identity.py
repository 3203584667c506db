"""`cauce identity simulate`."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cauce.app.cli.identity_act import grant, list_acts, merge, retract, split, withdraw
from cauce.app.cli.identity_audit import audit
from cauce.app.cli.identity_candidates import candidates
from cauce.app.cli.identity_evaluate import evaluate
from cauce.app.cli.identity_export import export
from cauce.app.cli.identity_rename_domain import rename_domain
from cauce.app.cli.identity_scenarios import scenarios
from cauce.app.cli.identity_why import why
from cauce.app.cli.output import JsonOption, print_json, print_line
from cauce.identity import simulate as simulate_rules
from cauce.identity.reading import read_lines
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import decode_json

app = typer.Typer()
identity = typer.Typer(no_args_is_help=True)
app.add_typer(identity, name="identity", help="Who is one person: rules, reasons, and acts by hand.")
identity.command()(audit)
identity.command()(rename_domain)
identity.command()(why)
identity.command()(export)
identity.command()(scenarios)
identity.command()(candidates)
identity.command()(evaluate)
for act in (merge, split, retract, withdraw, grant):
    identity.command()(act)
identity.command("acts")(list_acts)


_EVENTS = "Events, one a line: JSON, tracking calls, or identifiers as NS: value, NS: value."


@identity.command()
def simulate(
    rules: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A ruleset as JSON.")],
    events: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=_EVENTS)],
    json: JsonOption = False,
) -> None:
    """Print the profiles that rules make of events; nothing is kept."""
    ruleset = _decode(rules.read_bytes(), str(rules))
    if not isinstance(ruleset, dict):
        raise InvalidInput(f"{rules} holds no ruleset.", hint="Write one JSON object.")
    with events.open("rb") as lines:
        profiles = simulate_rules(ruleset, read_lines(lines, str(events)))
    if json:
        print_json(profiles)
        return
    for anchor, members in profiles.items():
        print_line(anchor)
        for member in members:
            print_line(f"  {member}")


def _decode(data: bytes, place: str) -> Any:
    try:
        return decode_json(data)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{place}: malformed JSON.", hint=f"{error}.") from error
