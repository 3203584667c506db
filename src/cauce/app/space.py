"""Spaces: the folder that holds the settings, the definitions, the log and the state of one installation."""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cauce.vocabulary.errors import Conflict, NotFound

TEMPLATE = Path(__file__).parent / "template"
"""The example definitions that a new space gets."""

_NOT_FOR_VERSION_CONTROL = """\
# What people write is for version control; what Cauce keeps is not.
/control.db*
/log.db*
/state.db*
/log/
/scratch/
/match/
/*.lock
/secrets/
"""


class Space(NamedTuple):
    """Where everything of one space is."""

    root: Path

    @property
    def option(self) -> str:
        """What to type after a command so that it uses this space."""
        return f"--space {shlex.quote(str(self.root))}"

    @property
    def settings(self) -> Path:
        """The settings file; a folder that has one is a space."""
        return self.root / "cauce.yaml"

    @property
    def definitions(self) -> Path:
        """The folder of the definitions, with one folder for each kind."""
        return self.root / "definitions"

    @property
    def schemas(self) -> Path:
        """The JSON Schemas that editors read."""
        return self.root / ".schemas"

    @property
    def control(self) -> Path:
        """The control store: keys."""
        return self.root / "control.db"

    @property
    def state(self) -> Path:
        """The state store: identities, profiles, memberships, deliveries."""
        return self.root / "state.db"

    @property
    def log(self) -> Path:
        """The event log's hot rows."""
        return self.root / "log.db"

    @property
    def sealed(self) -> Path:
        """The event log's sealed files."""
        return self.root / "log"

    @property
    def candidates(self) -> Path:
        """The pairs of people who may be one, as last found."""
        return self.root / "match" / "candidates.json"

    @property
    def scratch(self) -> Path:
        """Where work in bulk may spill; nothing in it is needed afterwards."""
        return self.root / "scratch"

    @property
    def serve_lock(self) -> Path:
        """The lock that a running `cauce serve` holds, with its pid and addresses."""
        return self.root / "serve.lock"

    @property
    def rebuild_lock(self) -> Path:
        """The lock of the one rebuild that may be under way."""
        return self.root / "rebuild.lock"

    @property
    def aside_lock(self) -> Path:
        """While somebody holds this lock, the worker lets go of its own and waits."""
        return self.root / "aside.lock"

    @property
    def worker_lock(self) -> Path:
        """The lock of the one worker that may write the state store; on PostgreSQL, of the first."""
        return self.root / "worker.lock"

    def lock_of_worker(self, number: int) -> Path:
        """The lock of one of several workers of this folder, which only PostgreSQL allows."""
        return self.worker_lock if number == 1 else self.root / f"worker-{number}.lock"


def find_space(root: Path) -> Space:
    """The space in a folder; raises ``NotFound`` if the folder is none."""
    space = Space(root)
    if not space.settings.is_file():
        raise NotFound(
            f"{root} is not a space: it has no {space.settings.name}.",
            hint="Make one with `cauce init DIR`, or name another with --space DIR or CAUCE_SPACE.",
        )
    return space


def lay_out(root: Path, files: Mapping[str, str]) -> Space:
    """Make the folder of a new space: example definitions, and ``files`` by their path in it.

    The caller writes the settings file last, which makes the folder a space.
    Raises ``Conflict`` if the folder is a space already or holds anything else.
    """
    space = Space(root)
    _refuse_unless_empty(space)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(TEMPLATE, space.definitions, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in {".gitignore": _NOT_FOR_VERSION_CONTROL, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return space


def _refuse_unless_empty(space: Space) -> None:
    root = space.root
    if root.exists() and not root.is_dir():
        raise Conflict(f"{root} is a file.", hint="Name a folder that does not exist yet.")
    if space.settings.exists():
        raise Conflict(f"{root} is a space already.", hint=f"Use it: `cauce serve {space.option}`.")
    if root.is_dir() and any(root.iterdir()):
        raise Conflict(f"{root} is not empty.", hint="Name a folder that is empty or does not exist yet.")
