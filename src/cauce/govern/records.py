"""What govern keeps in the control store: keys by hash, and every version of the definitions."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

CONTROL = MetaData()
"""Every table of the control store (``control.db``)."""

key = Table(
    "key",
    CONTROL,
    Column("hash", Text, primary_key=True),  # scheme prefix and digest of the secret
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),  # of a write key, otherwise empty
    Column("scopes", Text, nullable=False),  # of an API key, separated by spaces, otherwise empty
    Column("created", Integer, nullable=False),  # µs
    Column("revoked", Integer),  # µs; null while the key is valid
    Column("change", Integer, nullable=False, index=True),  # rises with every change of any key
    sqlite_with_rowid=False,
)

definition_version = Table(
    "definition_version",
    CONTROL,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Integer, nullable=False),  # µs
    Column("viewer", Text, nullable=False),  # who applied it
    Column("note", Text, nullable=False),  # why
    Column("hash", Text, nullable=False),  # of all its definitions together
    Column("again", Integer),  # of a rollback: the version whose definitions were brought back
    sqlite_with_rowid=False,
)

definition = Table(
    "definition",
    CONTROL,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    sqlite_with_rowid=False,
)

definition_content = Table(
    "definition_content",
    CONTROL,
    Column("hash", Text, primary_key=True),
    Column("content", Text, nullable=False),  # canonical JSON, see vocabulary/definitions/canonical.py
    sqlite_with_rowid=False,
)

definition_plan = Table(
    "definition_plan",
    CONTROL,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),  # up to which the state was folded
    Column("base", Integer, nullable=False),  # the version that was applied then
    Column("hash", Text, nullable=False),  # of all definitions that were planned
    Column("at", Integer, nullable=False),  # when it was made, µs
    sqlite_with_rowid=False,
)
"""Plans that were made lately: what `apply` compares the folder with."""
