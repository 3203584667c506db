"""The tables of the first release."""

from alembic import op
from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, text

from cauce.storage.records import Int64, Words

revision = "0001"
down_revision = None

FIRST = MetaData()

delivery = Table(
    "delivery",
    FIRST,
    Column("id", Words, primary_key=True),
    Column("destination", Words, nullable=False),
    Column("segment", Words, nullable=False),
    Column("profile_id", Words, nullable=False),
    Column("entered", Int64, nullable=False),
    Column("person", Words, nullable=False),
    Column("sequence", Int64, nullable=False),
    Column("after", Words),
    Column("state", Words, nullable=False),
    Column("due", Int64),
    Column("attempts", Int64, nullable=False),
    Column("tries", Int64, nullable=False),
    Column("begun", Int64),
    Column("started", Int64),
    Column("settled", Int64),
    Column("status", Int64),
    Column("error", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index(
    "delivery_after",
    delivery.c.after,
    sqlite_where=text("after IS NOT NULL"),
    postgresql_where=text("after IS NOT NULL"),
)
Index(
    "delivery_due",
    delivery.c.destination,
    delivery.c.due,
    sqlite_where=text("due IS NOT NULL"),
    postgresql_where=text("due IS NOT NULL"),
)
Index("delivery_lane", delivery.c.destination, delivery.c.profile_id)
Index("delivery_state", delivery.c.state, delivery.c.id, delivery.c.destination)
Table(
    "fragment",
    FIRST,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("folded", Int64, nullable=False),
    Column("traits", Words, nullable=False),
)
identifier = Table(
    "identifier",
    FIRST,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("hash", Int64, nullable=False),
    Column("key", Words, nullable=False),
)
Index("identifier_hash", identifier.c.hash)
Table(
    "identity_member",
    FIRST,
    Column("view", Int64, primary_key=True, autoincrement=False),
    Column("identifier", Int64, primary_key=True, autoincrement=False),
    Column("profile", Int64, nullable=False),
    Column("first_time", Int64, nullable=False),
    Column("cut", Int64),
    Column("links", Words, nullable=False),
    Column("signatures", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "identity_move",
    FIRST,
    Column("seq", Int64, primary_key=True, autoincrement=False),
    Column("view", Int64, nullable=False),
    Column("identifier", Int64, nullable=False),
    Column("old", Int64),
    Column("new", Int64, nullable=False),
    Column("position", Int64, nullable=False),
)
Table(
    "identity_profile",
    FIRST,
    Column("view", Int64, primary_key=True, autoincrement=False),
    Column("profile", Int64, primary_key=True, autoincrement=False),
    Column("profile_id", Words, nullable=False),
    Column("members", Words, nullable=False),
    Column("signatures", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "identity_view",
    FIRST,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("name", Words, nullable=False, unique=True),
    Column("hash", Words, nullable=False),
    Column("rules", Words, nullable=False),
)
membership = Table(
    "membership",
    FIRST,
    Column("profile", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, primary_key=True),
    Column("since", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Index("membership_by_segment", membership.c.segment, membership.c.profile)
Table(
    "membership_change",
    FIRST,
    Column("sequence", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, nullable=False),
    Column("profile", Int64, nullable=False),
    Column("profile_id", Words, nullable=False),
    Column("entered", Int64, nullable=False),
    Column("at", Int64, nullable=False),
    Column("position", Int64, nullable=False),
    Column("message_id", Words, nullable=False),
)
Table(
    "progress",
    FIRST,
    Column("name", Words, primary_key=True),
    Column("value", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "receipt",
    FIRST,
    Column("delivery", Words, primary_key=True),
    Column("attempt", Int64, primary_key=True, autoincrement=False),
    Column("started", Int64, nullable=False),
    Column("ended", Int64),
    Column("outcome", Words, nullable=False),
    Column("status", Int64),
    Column("error", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "segment_version",
    FIRST,
    Column("segment", Words, primary_key=True),
    Column("rule", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "signature",
    FIRST,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("identifiers", Words, nullable=False),
)
Table(
    "signature_evidence",
    FIRST,
    Column("identifiers", Words, primary_key=True),
    Column("signature", Int64, nullable=False),
    Column("sources", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "tally",
    FIRST,
    Column("destination", Words, primary_key=True),
    Column("outcome", Words, primary_key=True),
    Column("attempts", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "timeline",
    FIRST,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("time", Int64, primary_key=True, autoincrement=False),
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("received", Int64, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("properties", Words, nullable=False),
    sqlite_with_rowid=False,
)
timer = Table(
    "timer",
    FIRST,
    Column("profile", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, primary_key=True),
    Column("due", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Index("timer_by_due", timer.c.due)


def upgrade() -> None:
    """Make the tables."""
    FIRST.create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Remove the tables and all that is in them."""
    FIRST.drop_all(op.get_bind(), checkfirst=False)
