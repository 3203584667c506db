"""The real command line, run as a subprocess."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

CAUCE = Path(sys.executable).with_name("cauce")


class Ran(NamedTuple):
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of Cauce, and with ``variables``."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith("CAUCE_")}
    return {**foreign, **variables}


def cauce(*arguments: object, **variables: str) -> Ran:
    """Run a command to its end; a ``Ran`` also where it fails."""
    done = subprocess.run(
        [CAUCE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def succeed(*arguments: object, **variables: str) -> Ran:
    """Run a command that must end well."""
    ran = cauce(*arguments, **variables)
    assert ran.code == 0, ran.err
    return ran
