"""The full spine: every version of the definitions."""

from alembic import op
from sqlalchemy import Column, MetaData, Table

from cauce.storage.records import Int64, Words

revision = "0002"
down_revision = "0001"

ADDED = MetaData()

Table(
    "definition",
    ADDED,
    Column("version", Int64, primary_key=True, autoincrement=False),
    Column("kind", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("hash", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "definition_content",
    ADDED,
    Column("hash", Words, primary_key=True),
    Column("content", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "definition_plan",
    ADDED,
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("position", Int64, nullable=False),
    Column("base", Int64, nullable=False),
    Column("hash", Words, nullable=False),
    Column("at", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "definition_version",
    ADDED,
    Column("number", Int64, primary_key=True, autoincrement=False),
    Column("at", Int64, nullable=False),
    Column("viewer", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("hash", Words, nullable=False),
    Column("again", Int64),
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    """Add the tables of definitions."""
    ADDED.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables of definitions and every version in them."""
    ADDED.drop_all(op.get_bind(), checkfirst=False)
