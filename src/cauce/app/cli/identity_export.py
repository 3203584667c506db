"""`cauce identity export`."""

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
    print_table,
)
from cauce.app.compose import Composition
from cauce.app.identity_export import Format, export_identity
from cauce.vocabulary.access import OPERATIONS, Purpose


def export(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder for the files.")],
    space: SpaceOption = HERE,
    file_format: Annotated[Format, typer.Option("--format", help="How they are written.")] = Format.PARQUET,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Write who is who, and how it came about, as tables in the shape of Segment's Profiles Sync."""
    written = export_identity(
        Composition(space), to, file_format, purpose=Purpose(purpose), viewer=COMMAND_LINE
    )
    if json:
        print_json([{"table": one.table, "file": str(one.path), "rows": one.rows} for one in written])
        return
    print_table(("table", "file", "rows"), written)
