"""`cauce identity candidates`."""

from pathlib import Path
from typing import Annotated

import typer

from cauce.app.candidates import find_candidates
from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    LimitOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.compose import Composition
from cauce.vocabulary.access import OPERATIONS, Purpose

_MODEL = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="The matching model; for few people there is one."),
]


def candidates(
    model: _MODEL = None,
    space: SpaceOption = HERE,
    limit: LimitOption = 20,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Find people who may be one, though the rules have them apart, by the weight of their records.

    The pairs are kept in the space until the command is given again: of whom a segment
    has, or has not, `cauce segment why` then says where the answer is unknown.
    """
    found = find_candidates(Composition(space), model, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if json:
        pairs = [{"one": one.one, "other": one.other, "weight": round(one.weight, 3)} for one in found.pairs]
        print_json({"model": found.model, "pairs": pairs})
        return
    print_line(f"{len(found.pairs)} pairs of people may be one, by the model {found.model}.")
    rows = [(one.one, one.other, f"{one.weight:.1f}") for one in found.pairs[:limit]]
    print_table(("one", "other", "weight"), rows)
