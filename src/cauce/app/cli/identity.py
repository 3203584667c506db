"""`cauce identity simulate`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cauce.app.cli.output import JsonOption, print_json, print_line
from cauce.identity import simulate as simulate_rules
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import decode_json

app = typer.Typer()
identity = typer.Typer(no_args_is_help=True)
app.add_typer(identity, name="identity", help="Try identity rules.")


@identity.command()
def simulate(
    rules: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A ruleset as JSON.")],
    events: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Events as JSON Lines.")],
    json: JsonOption = False,
) -> None:
    """Print the profiles that rules make of events; nothing is kept."""
    ruleset = _decode(rules.read_bytes(), str(rules))
    if not isinstance(ruleset, dict):
        raise InvalidInput(f"{rules} holds no ruleset.", hint="Write one JSON object.")
    profiles = simulate_rules(ruleset, _lines(events))
    if json:
        print_json(profiles)
        return
    for anchor, members in profiles.items():
        print_line(anchor)
        for member in members:
            print_line(f"  {member}")


def _lines(file: Path) -> Iterator[Any]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _decode(line, f"{file}:{number}")


def _decode(data: bytes, place: str) -> Any:
    try:
        return decode_json(data)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{place}: malformed JSON.", hint=f"{error}.") from error
