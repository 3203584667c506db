"""The doctor: looks at a space and says what is wrong with it and what to do.

It changes nothing that people wrote, and each check stands alone: what one finds
broken does not keep the others from looking.
"""

from collections.abc import Callable

from cauce.app.compose import Composition
from cauce.app.doctor import files, running
from cauce.app.doctor.findings import Finding, error
from cauce.app.doctor.sealed import sealed
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.moment import Clock


def examine(composition: Composition, clock: Clock) -> list[Finding]:
    """Every finding, in the order in which to repair things."""
    space = composition.space
    checks: dict[str, Callable[[], Finding]] = {
        "versions": files.versions,
        "privacy": lambda: files.privacy(space),
        "disk": lambda: files.disk_space(space),
        "durability": lambda: files.durability(space),
        "definitions": lambda: running.definitions(composition),
        "schemas": lambda: files.schemas(space),
        "keys": lambda: running.keys(composition),
        "secrets": lambda: running.secrets(composition),
        "sealed": lambda: sealed(composition),
        "serving": lambda: running.serving(composition),
        "folding": lambda: running.folding(composition, clock),
        "quarantine": lambda: running.quarantine(composition),
        "deliveries": lambda: running.deliveries(composition, clock),
    }
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except CauceError as refusal:
        return error(name, refusal.message, refusal.hint)
    except OSError as failed:
        return error(name, f"The check failed: {failed.strerror}.", "Repair the folder or its permissions.")
