"""``python -m demo``: play the company into a fresh space, print the result, and keep it running.

``make demo`` runs this; ``make demo DEMO="--once"`` stops after the result.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cauce.vocabulary.errors import CauceError
from demo.company import DAYS, PEOPLE, SEED
from demo.tour import Options, run


def main(arguments: Sequence[str]) -> int:
    """Run the demo; the exit code: 0, 1 if the merges are not good enough, 2 if it cannot run."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being told to end is like Ctrl-C
    options = Options(
        space=given.space, once=given.once, people=given.people, days=given.days, seed=given.seed
    )
    try:
        return run(options)
    except CauceError as error:
        sys.stderr.write(f"Error: {error.message}\n{error.hint}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="print the result, stop everything, and end")
    parser.add_argument(
        "--space", type=Path, default=Path("demo-space"), help="the folder of the demo's space (%(default)s)"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help="how many people (%(default)s)")
    parser.add_argument("--days", type=int, default=DAYS, help="over how many days (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="the seed of the company (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
