"""Sealing in a process of its own, so that its memory goes back to the system when it ends.

``python -m cauce.eventlog.seal_process SPACE UPTO`` reads JSON from standard
input, how the identifiers of each source are normalized (under the empty name:
of all others), and prints one line of JSON: the events and files sealed and the
seconds taken. Exit code 0: sealed; 1: the reason stands on standard error.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cauce.eventlog.seal import seal
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Normalization

_NICENESS = 10  # accepting and folding come first where processors are few


def start_sealing(space: Path, upto: Position, how: Mapping[str, Normalization]) -> subprocess.Popen[bytes]:
    """Start the process that seals a space up to a position; ``how`` is by source, "" for all others."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cauce.eventlog.seal_process", str(space), str(upto)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.stdin is not None:
        process.stdin.write(msgspec.json.encode(how))
        process.stdin.close()
        process.stdin = None
    return process


def main(arguments: list[str]) -> int:
    """Run the command; its exit code."""
    space, upto = arguments
    how = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Normalization])
    os.nice(_NICENESS)
    start = time.monotonic()
    try:
        made = seal(Path(space), Position(int(upto)), lambda source: how.get(source, how[""]))
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
