"""Bringing a store from one revision to another, in one transaction."""

import re
from collections.abc import Iterable
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, text

from cauce.storage.revisions import FIRST, NEWEST, revision_table
from cauce.vocabulary.errors import InvalidInput

_OLDEST = {"state": "progress", "control": "key", "log": "event"}
"""Store → a table that it has had from the first release on."""

BASE = "base"
"""The name of the revision before the first: no tables at all."""


def revisions(store: str) -> list[str]:
    """The revisions of a store, oldest first."""
    return [script.revision for script in _between(store, NEWEST[store], None)][::-1]


def found_revision(connection: Connection, store: str) -> str:
    """The revision of the store behind a connection; ``BASE`` if there is none."""
    if store == "log" and connection.dialect.name == "sqlite":
        number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        return f"{number:04d}" if number else BASE
    present = set(inspect(connection).get_table_names())
    if revision_table(store) in present:
        return str(connection.execute(text(f"SELECT version_num FROM {revision_table(store)}")).scalar_one())
    return FIRST if _OLDEST[store] in present else BASE


def migrate(connection: Connection, store: str, found: str, target: str) -> list[str]:
    """Bring a store from the revision ``found`` to ``target``; the revisions that were gone through.

    The caller's transaction holds all of it. Raises ``InvalidInput`` if there is no such revision.
    """
    known = [BASE, *revisions(store)]
    if target not in known:
        raise InvalidInput(
            f"The {store} store has no revision {target}.", hint=f"There are: {', '.join(known[1:])}."
        )
    up = known.index(target) > known.index(found)
    upper, lower = (target, found) if up else (found, target)
    way = list(_between(store, upper, None if lower == BASE else lower))
    with Operations.context(MigrationContext.configure(connection)):
        for script in reversed(way) if up else way:
            (script.module.upgrade if up else script.module.downgrade)()
    _remember(connection, store, target)
    return [script.revision for script in way]


def _between(store: str, upper: str, lower: str | None) -> Iterable[Script]:
    folder = Path(__file__).parent / store
    directory = ScriptDirectory(folder, version_locations=[folder])
    return directory.iterate_revisions(upper, lower or BASE)


def _remember(connection: Connection, store: str, revision: str) -> None:
    """Note the revision in the store; the first release had no such note, nor has a log on SQLite."""
    if store == "log" and connection.dialect.name == "sqlite":
        number = re.sub(r"\D", "", revision) or "0"
        connection.exec_driver_sql(f"PRAGMA user_version = {int(number)}")
        return
    table = revision_table(store)
    if inspect(connection).has_table(table):
        connection.execute(text(f"DELETE FROM {table}"))
        if revision in (BASE, FIRST):
            connection.execute(text(f"DROP TABLE {table}"))
    elif revision not in (BASE, FIRST):
        kind = 'TEXT COLLATE "C"' if connection.dialect.name == "postgresql" else "TEXT"
        connection.execute(text(f"CREATE TABLE {table} (version_num {kind} NOT NULL PRIMARY KEY)"))
    if revision not in (BASE, FIRST):
        connection.execute(text(f"INSERT INTO {table} VALUES (:revision)"), {"revision": revision})
