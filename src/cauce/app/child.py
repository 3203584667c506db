"""The child processes of `cauce serve`: how each starts, and how each ends.

    python -m cauce.app.child NAME SPACE [DESCRIPTOR]

``NAME`` is collector, worker or api; the module ``child_NAME`` says what it runs, and
is imported in that process only. Standard input is a lifeline: at its end the
supervisor is gone, and the child stops.
"""

import importlib
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Thread

from cauce.app.compose import Composition
from cauce.app.exit_codes import FAILURE, exit_code
from cauce.app.logs import start_logging
from cauce.vocabulary.errors import CauceError

logger = logging.getLogger(__name__)


def main(name: str, root: str, *arguments: str) -> int:
    """Run one child until it is told to stop; its exit code."""
    start_logging(name, "info")
    _follow_lifeline()
    try:
        composition = Composition(Path(root))
        start_logging(name, composition.settings.serve.log_level)
        importlib.import_module(f"cauce.app.child_{name}").run(composition, *arguments)
    except CauceError as error:
        logger.error("%s", error)
        return exit_code(error)
    except Exception:
        logger.exception("%s failed", name)
        return FAILURE
    return 0


def _follow_lifeline() -> None:
    Thread(target=_stop_at_its_end, name="lifeline", daemon=True).start()


def _stop_at_its_end() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_quietly() -> None:
    """Close standard error: what native libraries write when the interpreter ends is no line of the log."""
    logging.shutdown()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    _end_quietly()
    sys.exit(code)
