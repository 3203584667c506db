"""The page about the command line."""

from collections.abc import Iterator
from typing import Any

import typer

from cauce.app.cli import app
from cauce.app.exit_codes import EXIT_CODES
from cauce.app.reference.markdown import code, page, table

_HEAD = """\
# Command line

Every command works without a terminal. `--json` prints what a program may read, on standard output; errors
and progress go to standard error. A command that reads personal data takes a `--purpose`.
"""


def cli_reference() -> str:
    """Every command with its arguments and options, and the exit codes."""
    codes = [(str(number), code(family.__name__), _sentence(family)) for family, number in EXIT_CODES.items()]
    rows = [("0", "", "Success."), ("1", "", "Any other failure."), *codes]
    group = typer.main.get_group(app)
    commands = [block for way, command in _commands(group, ("cauce",)) for block in _command(way, command)]
    return page(_HEAD, "## Exit codes", table(("code", "family", "meaning"), sorted(rows)), *commands)


def _commands(group: Any, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from _commands(command, (*way, name))
        else:
            yield (*way, name), command


def _command(way: tuple[str, ...], command: Any) -> list[str]:
    params = [param for param in command.params if param.name != "help"]
    arguments = [param for param in params if not _is_option(param)]
    usage = " ".join([*way, *(_argument(param) for param in arguments)])
    rows = [(code(_written(param)), _default(param), param.help or "") for param in params]
    sentence = " ".join((command.help or "").split())
    return [
        f"## `{' '.join(way)}`\n\n{sentence}",
        f"```\n{usage}\n```",
        table(("argument or option", "default", "meaning"), rows),
    ]


def _is_option(param: Any) -> bool:
    return str(param.opts[0]).startswith("-")


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return name if param.required or name.startswith("[") else f"[{name}]"


def _written(param: Any) -> str:
    if not _is_option(param):
        return _argument(param)
    if getattr(param, "is_flag", False):
        return str(param.opts[0])
    return f"{param.opts[0]} {param.metavar or param.name.upper()}"


def _default(param: Any) -> str:
    if param.required:
        return "required"
    if isinstance(param.show_default, str):
        return param.show_default + (f", or {code(param.envvar)}" if param.envvar else "")
    shown = param.default not in (None, "", False, [])
    return code(str(param.default)) if shown else ""


def _sentence(family: type[Any]) -> str:
    return (family.__doc__ or "").partition("\n")[0]
