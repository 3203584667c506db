"""What the segment stage keeps: who is in, every change, and when to look again."""

from sqlalchemy import Column, Index, Integer, Table, Text

from cauce.storage.records import STATE

membership = Table(
    "membership",
    STATE,
    Column("profile", Integer, primary_key=True, autoincrement=False),
    Column("segment", Text, primary_key=True),
    Column("since", Integer, nullable=False),  # the moment of entering, µs
    sqlite_with_rowid=False,
)
Index("membership_by_segment", membership.c.segment, membership.c.profile)

membership_change = Table(
    "membership_change",
    STATE,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("segment", Text, nullable=False),
    Column("profile", Integer, nullable=False),
    Column("profile_id", Text, nullable=False),
    Column("entered", Integer, nullable=False),  # 1 entered, 0 left
    Column("at", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # of the event that caused it, 0 for a timer
    Column("message_id", Text, nullable=False),  # of that event, or empty
)

timer = Table(
    "timer",
    STATE,
    Column("profile", Integer, primary_key=True, autoincrement=False),
    Column("segment", Text, primary_key=True),
    Column("due", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("timer_by_due", timer.c.due)

segment_version = Table(
    "segment_version",
    STATE,
    Column("segment", Text, primary_key=True),
    Column("rule", Text, nullable=False),  # what is evaluated: the rule's text and whom it is about
    sqlite_with_rowid=False,
)
