"""What the activate stage keeps: deliveries, a receipt of each attempt, and totals for metrics."""

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text

from cauce.storage.records import PERSONAL, STATE

delivery = Table(
    "delivery",
    STATE,
    Column("id", Text, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("profile_id", Text, nullable=False, info=PERSONAL),
    Column("entered", Integer, nullable=False),
    Column("person", Text, nullable=False, info=PERSONAL),
    Column("sequence", Integer, nullable=False),
    Column("after", Text),
    Column("state", Text, nullable=False),
    Column("due", Integer),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("begun", Integer),
    Column("started", Integer),
    Column("settled", Integer),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, info=PERSONAL),
)

_due = delivery.c.due.is_not(None)
_after = delivery.c.after.is_not(None)

Index("delivery_due", delivery.c.destination, delivery.c.due, sqlite_where=_due, postgresql_where=_due)
Index("delivery_lane", delivery.c.destination, delivery.c.profile_id)
Index("delivery_after", delivery.c.after, sqlite_where=_after, postgresql_where=_after)
Index("delivery_state", delivery.c.state, delivery.c.id, delivery.c.destination)

receipt = Table(
    "receipt",
    STATE,
    Column("delivery", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("started", Integer, nullable=False),
    Column("ended", Integer),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    sqlite_with_rowid=False,
)

tally = Table(
    "tally",
    STATE,
    Column("destination", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many attempts had each outcome since the space began."""

QUEUED_UNTIL = "activate.queued_until"
"""The name under which ``progress`` keeps the moment of the newest queued change."""
