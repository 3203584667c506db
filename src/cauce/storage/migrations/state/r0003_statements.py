"""Statements about identifiers, and what consent allows of the evidence."""

from alembic import op
from sqlalchemy import Column, MetaData, Table

from cauce.storage.records import Int64, Words

revision = "0003"
down_revision = "0002"

ADDED = MetaData()

Table(
    "identity_statement",
    ADDED,
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("time", Int64, nullable=False),
    Column("op", Words, nullable=False),
    Column("identifiers", Words, nullable=False),
    Column("purposes", Words, nullable=False),
    Column("events", Words, nullable=False),
)
Table(
    "identity_allowed",
    ADDED,
    Column("view", Int64, primary_key=True),
    Column("signature", Int64, primary_key=True),
    Column("sources", Words, nullable=False),
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    """Keep all rows."""
    ADDED.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Keep the rows that the full spine knows; what was stated stands in the log."""
    ADDED.drop_all(op.get_bind(), checkfirst=False)
