"""Making a space: the folder, the example definitions, the schemas, and the first two keys."""

import shutil
from pathlib import Path
from typing import NamedTuple

from cauce.app.compose import Composition
from cauce.app.schemas import schema_files
from cauce.app.settings_file import settings_file
from cauce.app.space import Space, lay_out
from cauce.govern.access import Scope
from cauce.govern.keys import IssuedKey, KeyStore
from cauce.vocabulary.errors import CauceError, Conflict
from cauce.vocabulary.moment import Moment

FIRST_SOURCE = "web"
"""The source that the example definitions define, and that the first write key names."""

FIRST_VIEWER = "first"
"""The name of the first API key."""


class NewSpace(NamedTuple):
    """A space that was made, and its keys, whose secrets are shown once."""

    space: Space
    write_key: IssuedKey
    api_key: IssuedKey


def make_space(root: Path, *, now: Moment) -> NewSpace:
    """Make a space that `cauce serve` can run.

    Raises ``Conflict`` if the folder is a space already or not empty, or if the
    PostgreSQL schema holds one, and ``CauceError`` if it cannot be written.
    """
    try:
        space = lay_out(root, {f".schemas/{name}": text for name, text in schema_files().items()})
        space.settings.write_text(settings_file(), encoding="utf-8")  # from now on the folder is a space
    except OSError as error:
        raise CauceError(
            f"{root} cannot be made a space: {error.strerror}.",
            hint="Name a folder that can be written, or free disk space; remove what was begun there.",
        ) from error
    try:
        keys = _unused_keys(Composition(root))
    except CauceError:
        for begun in root.iterdir():
            shutil.rmtree(begun) if begun.is_dir() else begun.unlink()
        raise
    write_key = keys.issue_write_key(FIRST_SOURCE, now=now)
    return NewSpace(space, write_key, keys.issue_api_key(FIRST_VIEWER, list(Scope), now=now))


def _unused_keys(composition: Composition) -> KeyStore:
    """The keys of a space that has none yet; raises ``Conflict`` if the schema belongs to another one."""
    keys = KeyStore(composition.control)
    if keys.list():
        store = composition.settings.store
        raise Conflict(
            f"The schema {store.schema} of {store.shown} holds a space already.",
            hint="Name another schema with CAUCE_STORE__SCHEMA; "
            "or use that space with a folder that has its settings and definitions.",
        )
    return keys
