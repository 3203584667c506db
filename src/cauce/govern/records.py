"""What govern keeps in the control store: keys by hash, and every version of the definitions."""

from sqlalchemy import Column, MetaData, Table

from cauce.storage.records import Int64, Words
from cauce.storage.revisions import declare

CONTROL = MetaData()
"""Every table of the control store (``control.db``)."""
declare(CONTROL, "control")

key = Table(
    "key",
    CONTROL,
    Column("hash", Words, primary_key=True),  # scheme prefix and digest of the secret
    Column("id", Words, nullable=False, unique=True),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("source", Words, nullable=False),  # of a write key, otherwise empty
    Column("scopes", Words, nullable=False),  # of an API key, separated by spaces, otherwise empty
    Column("created", Int64, nullable=False),  # µs
    Column("revoked", Int64),  # µs; null while the key is valid
    Column("change", Int64, nullable=False, index=True),  # rises with every change of any key
    sqlite_with_rowid=False,
)

definition_version = Table(
    "definition_version",
    CONTROL,
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("at", Int64, nullable=False),  # µs
    Column("viewer", Words, nullable=False),  # who applied it
    Column("note", Words, nullable=False),  # why
    Column("hash", Words, nullable=False),  # of all its definitions together
    Column("again", Int64),  # of a rollback: the version whose definitions were brought back
    sqlite_with_rowid=False,
)

definition = Table(
    "definition",
    CONTROL,
    Column("version", Int64, primary_key=True, autoincrement=False),
    Column("kind", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("hash", Words, nullable=False),
    sqlite_with_rowid=False,
)

definition_content = Table(
    "definition_content",
    CONTROL,
    Column("hash", Words, primary_key=True),
    Column("content", Words, nullable=False),  # canonical JSON, see vocabulary/definitions/canonical.py
    sqlite_with_rowid=False,
)

definition_plan = Table(
    "definition_plan",
    CONTROL,
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("position", Int64, nullable=False),  # up to which the state was folded
    Column("base", Int64, nullable=False),  # the version that was applied then
    Column("hash", Words, nullable=False),  # of all definitions that were planned
    Column("at", Int64, nullable=False),  # when it was made, µs
    sqlite_with_rowid=False,
)
"""Plans that were made lately: what `apply` compares the folder with."""
