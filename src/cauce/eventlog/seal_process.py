"""Sealing in a process of its own, so that its memory goes back to the system when it ends.

``python -m cauce.eventlog.seal_process SPACE UPTO NORMALIZATION`` prints one line
of JSON: the events and files sealed and the seconds taken. Exit code 0: sealed;
1: the reason stands on standard error.
"""

import os
import sys
import time
from pathlib import Path

import msgspec

from cauce.eventlog.seal import seal
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Normalization

_NICENESS = 10  # accepting and folding come first where processors are few


def command(space: Path, upto: Position, how: Normalization) -> list[str]:
    """The command line that seals a space up to a position."""
    settings = msgspec.json.encode(how).decode()
    return [sys.executable, "-m", "cauce.eventlog.seal_process", str(space), str(upto), settings]


def main(arguments: list[str]) -> int:
    """Run the command; its exit code."""
    space, upto, settings = arguments
    os.nice(_NICENESS)
    start = time.monotonic()
    try:
        made = seal(Path(space), Position(int(upto)), msgspec.json.decode(settings, type=Normalization))
    except CauceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    report = {
        "events": sum(one.events for one in made),
        "files": len(made),
        "seconds": round(time.monotonic() - start, 3),
    }
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
