"""What every command shares: its options, and how it prints to people and to programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cauce.govern.access import Scope
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment, parse_iso

SpaceOption = Annotated[
    Path,
    typer.Option(
        "--space", envvar="CAUCE_SPACE", metavar="DIR", help="The space.", show_default="the current folder"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
PurposeOption = Annotated[
    str, typer.Option("--purpose", metavar="NAME", help="The purpose for which personal data is read.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]

HERE = Path()
"""The default of ``SpaceOption``."""

COMMAND_LINE = Viewer("command line", frozenset(Scope))
"""The viewer of every read that a command makes."""

_WIDE = 1_000


def read_moment(text: str) -> Moment:
    """A moment as somebody typed it; raises ``InvalidInput`` if it names none."""
    found = parse_iso(text)
    if found is None:
        raise InvalidInput(f"{text} names no moment.", hint="Write 2024-05-01T10:00:00Z or 2024-05-01.")
    return found


def print_json(value: Any) -> None:
    """One line of JSON on standard output; exact numbers stay exact."""
    typer.echo(encode_json(value).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """An aligned table on standard output; never wrapped where no terminal sets a width."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    console.print(table)


def print_line(text: object = "") -> None:
    """A line on standard output."""
    typer.echo(printable(text))


def printable(value: object) -> str:
    """Text without control characters: data must not steer the terminal."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
