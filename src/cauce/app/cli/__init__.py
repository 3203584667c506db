"""The command line: which commands there are, and what an error means for the shell.

A command's module is imported when the command is called, so that each starts fast.
"""

import importlib
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from cauce.app.exit_codes import FAILURE, exit_code
from cauce.vocabulary.errors import CauceError

_MODULES = {
    "init": "space",
    "serve": "serve",
    "import": "importing",
    "profile": "profile",
    "group": "group",
    "segment": "segment",
    "log": "log",
    "quarantine": "quarantine",
    "delivery": "delivery",
    "destination": "destination",
    "identity": "identity",
    "rebuild": "rebuild",
    "plan": "plan",
    "apply": "plan",
    "history": "history",
    "export": "history",
    "rollback": "history",
    "key": "key",
    "definitions": "definitions",
    "config": "config",
    "space": "space",
    "backup": "backup",
    "restore": "backup",
    "migrate": "migrate",
    "doctor": "doctor",
    "version": "version",
}
"""Command or noun → the module that has it."""


class Commands(TyperGroup):
    """The commands by name; their errors become a message, a hint and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  the group's signature
        """The names, in the order in which people meet them."""
        return list(_MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; None if there is none."""
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        commands: Any = typer.main.get_group(importlib.import_module(f"cauce.app.cli.{module}").app)
        return commands.get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a ``CauceError`` is told on standard error, without traceback."""
        try:
            return super().invoke(ctx)
        except CauceError as error:
            raise typer.Exit(tell(error)) from error


app = typer.Typer(
    cls=Commands,
    help="Cauce, a customer data platform: events in, people unified, segments live, other systems told.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options() -> None:
    """The commands have their own options."""


def tell(error: CauceError) -> int:
    """Print what happened and what to do; the exit code of the error's family."""
    typer.echo(f"Error: {error.message}", err=True)
    excerpt = getattr(error, "excerpt", "")  # of a RuleError, whose module most commands do not need
    if excerpt:
        typer.echo(excerpt, err=True)
    if error.hint:
        typer.echo(f"Hint: {error.hint}", err=True)
    return exit_code(error)


def main() -> None:
    """The entry point of `cauce`."""
    try:
        app()
    except Exception as bug:
        place = traceback.extract_tb(bug.__traceback__)[-1]
        typer.echo(
            f"Error: Cauce failed: {type(bug).__name__} in {place.name}, line {place.lineno}.", err=True
        )
        typer.echo("Hint: this is a bug; please report it with the command that you gave.", err=True)
        sys.exit(FAILURE)
