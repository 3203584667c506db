"""What the activate stage keeps: deliveries, their receipts, totals, and where each destination stands."""

from sqlalchemy import Column, Index, LargeBinary, Table

from cauce.storage.records import CARRIED, PERSONAL, STATE, Int64, Words

delivery = Table(
    "delivery",
    STATE,
    Column("id", Words, primary_key=True),
    Column("destination", Words, nullable=False),
    Column("kind", Words, nullable=False),  # of the destination, for which the body was made
    Column("segment", Words, nullable=False),
    Column("profile_id", Words, nullable=False, info=PERSONAL),
    Column("entered", Int64, nullable=False),
    Column("person", Words, nullable=False, info=PERSONAL),
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
    Column("body", LargeBinary, nullable=False, info=PERSONAL),
    info=CARRIED,
)

_due = delivery.c.due.is_not(None)
_after = delivery.c.after.is_not(None)

Index("delivery_due", delivery.c.destination, delivery.c.due, sqlite_where=_due, postgresql_where=_due)
Index("delivery_lane", delivery.c.destination, delivery.c.profile_id)
Index("delivery_person", delivery.c.profile_id)
Index("delivery_after", delivery.c.after, sqlite_where=_after, postgresql_where=_after)
Index("delivery_state", delivery.c.state, delivery.c.id, delivery.c.destination)

receipt = Table(
    "receipt",
    STATE,
    Column("delivery", Words, primary_key=True),
    Column("attempt", Int64, primary_key=True, autoincrement=False),
    Column("started", Int64, nullable=False),
    Column("ended", Int64),
    Column("outcome", Words, nullable=False),
    Column("status", Int64),
    Column("error", Words, nullable=False),
    sqlite_with_rowid=False,
    info=CARRIED,
)

tally = Table(
    "tally",
    STATE,
    Column("destination", Words, primary_key=True),
    Column("outcome", Words, primary_key=True),
    Column("attempts", Int64, nullable=False),
    sqlite_with_rowid=False,
    info=CARRIED,
)
"""How many attempts had each outcome since the space began."""

destination_lease = Table(
    "destination_lease",
    STATE,
    Column("destination", Words, primary_key=True),
    Column("holder", Words, nullable=False),
    Column("until", Int64, nullable=False),
    sqlite_with_rowid=False,
    info=CARRIED,
)
"""Which worker delivers to a destination, and until when unless it says so again."""

destination_run = Table(
    "destination_run",
    STATE,
    Column("destination", Words, primary_key=True),
    Column("phase", Words, nullable=False),  # idle, collecting, writing or settling
    Column("number", Int64, nullable=False),  # of the last file, or comparison, begun
    Column("due", Int64, nullable=False),  # the scheduled moment of that one
    Column("done", Int64),  # when it ended
    Column("entries", Int64, nullable=False),  # rows in it
    Column("name", Words, nullable=False),  # of the file; empty if none was written
    Column("error", Words, nullable=False),  # why the last try failed; empty if it did not
    sqlite_with_rowid=False,
    info=CARRIED,
)
"""Where the files of a destination, or the comparisons of a table, stand."""

subscription = Table(
    "subscription",
    STATE,
    Column("segment", Words, primary_key=True),
    Column("destination", Words, primary_key=True),
    Column("begun", Int64, nullable=False),
    Column("told", Int64),  # the greatest profile key that a backfill has reached; none: nothing to tell
    sqlite_with_rowid=False,
    info=CARRIED,
)
"""Since when a destination is told about a segment, and how far it was told of its members then."""

QUEUED_UNTIL = "activate.queued_until"
"""The name under which ``progress`` keeps the moment of the newest queued change."""
