"""The tables of the first release."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, Table

from cauce.storage.records import Int64, Words

revision = "0001"
down_revision = None

FIRST = MetaData()

key = Table(
    "key",
    FIRST,
    Column("hash", Words, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("kind", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("scopes", Words, nullable=False),
    Column("created", Int64, nullable=False),
    Column("revoked", Int64),
    Column("change", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_key_change", key.c.change)


def upgrade() -> None:
    """Make the tables."""
    FIRST.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables and all that is in them."""
    FIRST.drop_all(op.get_bind(), checkfirst=False)
