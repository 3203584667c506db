"""The full spine: refused input that is settled, and statistics of sealed files."""

from typing import Any

from alembic import op
from sqlalchemy import Column, LargeBinary, MetaData, Table

from cauce.storage.records import Int64, Words

revision = "0002"
down_revision = "0001"

ADDED = MetaData()

Table(
    "sealed_statistics",
    ADDED,
    Column("file", Words, primary_key=True),
    Column("document", Words, nullable=False),
    sqlite_with_rowid=False,
)

_SETTLING = ("settlement", "settled", "content", "sent", "call")


def upgrade() -> None:
    """Keep all events and refused input."""
    ADDED.create_all(op.get_bind(), checkfirst=False)
    empty = "x''" if op.get_bind().dialect.name == "sqlite" else "''"
    op.execute(f"ALTER TABLE quarantine ADD COLUMN call {_type(Words)} NOT NULL DEFAULT ''")
    op.execute(f"ALTER TABLE quarantine ADD COLUMN sent {_type(Int64)}")
    op.execute(f"ALTER TABLE quarantine ADD COLUMN content {_type(LargeBinary())} NOT NULL DEFAULT {empty}")
    op.execute(f"ALTER TABLE quarantine ADD COLUMN settled {_type(Int64)}")
    op.execute(f"ALTER TABLE quarantine ADD COLUMN settlement {_type(Words)}")
    op.create_index("quarantine_by_content", "quarantine", ["content"])


def downgrade() -> None:
    """Keep all events and refused input, but not what became of it."""
    op.drop_index("quarantine_by_content", "quarantine")
    for column in _SETTLING:
        op.execute(f"ALTER TABLE quarantine DROP COLUMN {column}")
    ADDED.drop_all(op.get_bind(), checkfirst=False)


def _type(of: Any) -> str:
    return str(of.compile(dialect=op.get_bind().dialect))
