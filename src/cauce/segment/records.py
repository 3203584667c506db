"""What the segment stage keeps: who is in, every change, and when to look again."""

from sqlalchemy import Column, Index, Table

from cauce.storage.records import CARRIED, STATE, Int64, Words

membership = Table(
    "membership",
    STATE,
    Column("profile", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, primary_key=True),
    Column("since", Int64, nullable=False),  # the moment of entering, µs
    sqlite_with_rowid=False,
)
Index("membership_by_segment", membership.c.segment, membership.c.profile)

membership_change = Table(
    "membership_change",
    STATE,
    Column("sequence", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, nullable=False),
    Column("profile", Int64, nullable=False),
    Column("profile_id", Words, nullable=False),
    Column("entered", Int64, nullable=False),  # 1 entered, 0 left
    Column("at", Int64, nullable=False),
    Column("position", Int64, nullable=False),  # of the event that caused it, 0 for a timer
    Column("message_id", Words, nullable=False),  # of that event, or empty
    info=CARRIED,
)

timer = Table(
    "timer",
    STATE,
    Column("profile", Int64, primary_key=True, autoincrement=False),
    Column("segment", Words, primary_key=True),
    Column("due", Int64, nullable=False),
    sqlite_with_rowid=False,
)
Index("timer_by_due", timer.c.due)

segment_version = Table(
    "segment_version",
    STATE,
    Column("segment", Words, primary_key=True),
    Column("rule", Words, nullable=False),  # what is evaluated: the rule's text and whom it is about
    sqlite_with_rowid=False,
)
