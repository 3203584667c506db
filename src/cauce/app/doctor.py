"""The doctor: looks at a space and says what is wrong with it and what to do.

It changes nothing that people wrote, and each check stands alone: what one finds
broken does not keep the others from looking.
"""

from collections.abc import Callable

from cauce.app import doctor_files, doctor_running
from cauce.app.compose import Composition
from cauce.app.findings import Finding, error
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.moment import Clock


def examine(composition: Composition, clock: Clock) -> list[Finding]:
    """Every finding, in the order in which to repair things."""
    space = composition.space
    checks: dict[str, Callable[[], Finding]] = {
        "versions": doctor_files.versions,
        "privacy": lambda: doctor_files.privacy(space),
        "disk": lambda: doctor_files.disk_space(space),
        "durability": lambda: doctor_files.durability(space),
        "definitions": lambda: doctor_running.definitions(composition),
        "schemas": lambda: doctor_files.schemas(space),
        "keys": lambda: doctor_running.keys(composition),
        "secrets": lambda: doctor_running.secrets(composition),
        "serving": lambda: doctor_running.serving(composition),
        "folding": lambda: doctor_running.folding(composition, clock),
        "quarantine": lambda: doctor_running.quarantine(composition),
        "deliveries": lambda: doctor_running.deliveries(composition, clock),
    }
    return [_run(name, check) for name, check in checks.items()]


def _run(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except CauceError as refusal:
        return error(name, refusal.message, refusal.hint)
    except OSError as failed:
        return error(name, f"The check failed: {failed.strerror}.", "Repair the folder or its permissions.")
