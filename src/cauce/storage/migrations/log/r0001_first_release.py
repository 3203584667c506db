"""The tables of the first release."""

from alembic import op
from sqlalchemy import Column, Identity, Index, LargeBinary, MetaData, Table

from cauce.storage.migrations.steps import keep_bodies_inline
from cauce.storage.records import Int64, Words

revision = "0001"
down_revision = None

FIRST = MetaData()

Table(
    "event",
    FIRST,
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("received", Int64, nullable=False),
    Column("time", Int64, nullable=False),
    Column("call", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Table(
    "fixed",
    FIRST,
    Column("name", Words, primary_key=True),
    Column("value", Int64, nullable=False),
)
quarantine = Table(
    "quarantine",
    FIRST,
    Column("number", Int64, Identity(), primary_key=True),
    Column("received", Int64, nullable=False),
    Column("source", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("quarantine_by_reason", quarantine.c.reason)
Table(
    "sealed",
    FIRST,
    Column("first", Int64, primary_key=True, autoincrement=False),
    Column("last", Int64, nullable=False),
    Column("events", Int64, nullable=False),
    Column("last_received", Int64, nullable=False),
    Column("file", Words, nullable=False),
    Column("size", Int64, nullable=False),
    Column("checksum", Words, nullable=False),
)


def upgrade() -> None:
    """Make the tables."""
    FIRST.create_all(op.get_bind(), checkfirst=False)
    keep_bodies_inline()


def downgrade() -> None:
    """Remove the tables and all that is in them."""
    FIRST.drop_all(op.get_bind(), checkfirst=False)
