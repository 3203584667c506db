"""The page about errors."""

import importlib
import pkgutil

import cauce
from cauce.app.exit_codes import EXIT_CODES
from cauce.app.reference.markdown import code, page, table
from cauce.app.worker import FOLD_FAILED
from cauce.collect.files.reasons import FileReason
from cauce.collect.reasons import Reason
from cauce.eventlog.port import Outcome
from cauce.vocabulary.errors import CauceError

_HEAD = """\
# Errors

Every error has a message that says what happened, a hint that says what to do, and a code that does not
change. The families differ in what should happen next. On the command line an error goes to standard error
and the exit code names its family; over HTTP it is a problem (RFC 9457).
"""

_QUARANTINE = """\
## Reasons of quarantine

Bad input is no error: it is kept in quarantine with a reason, and `cauce quarantine list` shows it. A reason
never changes its meaning; beside it stands a sentence that says what is wrong, without any of the data.
"""


def errors_reference() -> str:
    """The families, the kinds within them, and the reasons of quarantine."""
    families = [(code(one.__name__), code(one.code), str(n), _sentence(one)) for one, n in EXIT_CODES.items()]
    kinds = [
        (code(one.__name__), code(one.code), code(_family(one).__name__), _sentence(one)) for one in _kinds()
    ]
    reasons = sorted({*Reason, *FileReason, Outcome.CONFLICTING_REPEAT, FOLD_FAILED})
    return page(
        _HEAD,
        "## Families",
        table(("family", "code", "exit code", "meaning"), families),
        "Exit code 0 is success, and 1 any other failure.",
        "## Kinds",
        table(("error", "code", "family", "meaning"), kinds),
        _QUARANTINE,
        "\n".join(f"- {code(reason)}" for reason in reasons),
    )


def _kinds() -> list[type[CauceError]]:
    """Every class of error below the families, once all modules are known."""
    for module in pkgutil.walk_packages(cauce.__path__, "cauce."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: list[type[CauceError]] = []
    waiting: list[type[CauceError]] = [CauceError]
    while waiting:
        for one in waiting.pop().__subclasses__():
            waiting.append(one)
            if one not in EXIT_CODES:
                found.append(one)
    return sorted(found, key=lambda one: one.__name__)


def _family(error: type[CauceError]) -> type[CauceError]:
    return next((family for family in EXIT_CODES if issubclass(error, family)), CauceError)


def _sentence(error: type[CauceError]) -> str:
    return (error.__doc__ or "").partition("\n")[0]
