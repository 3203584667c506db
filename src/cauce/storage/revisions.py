"""Revisions: which form of its tables a store has, and which one this program reads.

A store remembers its revision in a table of its own (Alembic's). One without that table
was made before revisions were kept and has the first. Metadata that names no store, as
tests make it, has no revisions.
"""

from collections.abc import Callable, Collection

from sqlalchemy import Column, MetaData, Table, Text, event
from sqlalchemy import Connection as SqlConnection

from cauce.vocabulary.errors import Conflict

FIRST = "0001"
NEWEST = {"state": "0003", "control": "0002", "log": "0002"}
"""Store → the revision that this program reads and makes."""


class OlderStore(Conflict):
    """A store was made by an older version; ``store`` names it."""

    code = "older_version"


def declare(tables: MetaData, store: str) -> None:
    """Say which store some tables belong to; a store made from them remembers its revision."""
    tables.info["store"] = store
    remembered = Table(revision_table(store), tables, Column("version_num", Text, primary_key=True))

    @event.listens_for(remembered, "after_create")
    def remember(_: Table, connection: SqlConnection, **__: object) -> None:
        connection.execute(remembered.insert().values(version_num=NEWEST[store]))


def store_of(tables: MetaData) -> str:
    """The store that some tables belong to; empty if they name none."""
    return str(tables.info.get("store", ""))


def revision_table(store: str) -> str:
    """The table in which a store remembers its revision."""
    return f"{store}_revision"


def check_revision(
    tables: MetaData, present: Collection[str], stored: Callable[[str], str], place: str
) -> bool:
    """Whether a store is there and whole, by the names of the tables that are ``present``.

    ``stored`` reads the revision from the table of that name. Raises ``OlderStore`` or,
    if a newer version made the store, ``Conflict``.
    """
    store = store_of(tables)
    if not store:
        return tables.tables.keys() <= set(present)
    name = revision_table(store)
    ours = tables.tables.keys() - {name}
    if name not in present and not ours & set(present):
        return False
    found = stored(name) if name in present else FIRST
    if found == NEWEST[store]:
        return ours <= set(present)
    if found < NEWEST[store]:
        raise OlderStore(
            f"The {store} store in {place} has revision {found}; this version reads {NEWEST[store]}.",
            hint="`cauce serve` brings it up to date; so does `cauce space upgrade`, with nothing running.",
        )
    raise Conflict(
        f"The {store} store in {place} was made by another version of Cauce: its revision is {found}, "
        f"this version reads {NEWEST[store]}.",
        hint="Use that version, or downgrade with it: `cauce space downgrade`.",
        code="other_version",
    )
