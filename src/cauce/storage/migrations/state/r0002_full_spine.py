"""The full spine: groups, kinds of survivorship, destinations by kind, rounds of the parallel fold."""

from alembic import op
from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, text

from cauce.storage.migrations.state.r0001_first_release import FIRST
from cauce.storage.migrations.steps import order_lists, reshape
from cauce.storage.records import Int64, Words

revision = "0002"
down_revision = "0001"

ADDED = MetaData()

Table(
    "destination_lease",
    ADDED,
    Column("destination", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("until", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "destination_run",
    ADDED,
    Column("destination", Words, primary_key=True),
    Column("phase", Words, nullable=False),
    Column("number", Int64, nullable=False),
    Column("due", Int64, nullable=False),
    Column("done", Int64),
    Column("entries", Int64, nullable=False),
    Column("name", Words, nullable=False),
    Column("error", Words, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "fold_lane",
    ADDED,
    Column("lane", Int64, primary_key=True, autoincrement=False),
    Column("done", Int64, nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "fold_worker",
    ADDED,
    Column("worker", Words, primary_key=True),
    Column("beat", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "group_fragment",
    ADDED,
    Column("group_id", Words, primary_key=True),
    Column("traits", Words, nullable=False),
    sqlite_with_rowid=False,
)
group_member = Table(
    "group_member",
    ADDED,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("group_id", Words, primary_key=True),
    Column("since", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Index("group_member_by_group", group_member.c.group_id, group_member.c.signature)
Table(
    "subscription",
    ADDED,
    Column("segment", Words, primary_key=True),
    Column("destination", Words, primary_key=True),
    Column("begun", Int64, nullable=False),
    Column("told", Int64),
    sqlite_with_rowid=False,
)
Table(
    "timeline_folded",
    ADDED,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("name", Words, primary_key=True),
    Column("entries", Int64, nullable=False),
    Column("upto", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "trait_version",
    ADDED,
    Column("trait", Words, primary_key=True),
    Column("version", Words, nullable=False),
    sqlite_with_rowid=False,
)

CHANGED = MetaData()

delivery = Table(
    "delivery",
    CHANGED,
    Column("id", Words, primary_key=True),
    Column("destination", Words, nullable=False),
    Column("kind", Words, nullable=False),
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
Index("delivery_person", delivery.c.profile_id)
Index("delivery_state", delivery.c.state, delivery.c.id, delivery.c.destination)
Table(
    "fragment",
    CHANGED,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("traits", Words, nullable=False),
)


def upgrade() -> None:
    """Keep all rows; where timelines were cut, have them recorded anew from the log."""
    op.execute("DELETE FROM segment_version WHERE EXISTS (SELECT 1 FROM fragment WHERE folded > 0)")
    reshape(CHANGED.tables["delivery"], kind="'webhook'")
    reshape(CHANGED.tables["fragment"])
    ADDED.create_all(op.get_bind(), checkfirst=False)
    order_lists()


def downgrade() -> None:
    """Keep the rows that the first release knows; what it cannot hold is lost.

    The version of the definitions that made the state goes with the versions themselves.
    """
    op.execute("DELETE FROM progress WHERE name = 'definitions'")
    reshape(FIRST.tables["delivery"])
    reshape(FIRST.tables["fragment"], folded="0")
    ADDED.drop_all(op.get_bind(), checkfirst=False)
