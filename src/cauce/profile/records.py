"""What the profile stage keeps: a fragment and a timeline for each signature, and the same of groups."""

from sqlalchemy import Column, Index, Table

from cauce.storage.records import PERSONAL, STATE, Int64, Words

fragment = Table(
    "fragment",
    STATE,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("traits", Words, nullable=False, info=PERSONAL),  # JSON, see fragment.py
)

timeline = Table(
    "timeline",
    STATE,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("time", Int64, primary_key=True, autoincrement=False),
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("received", Int64, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("properties", Words, nullable=False, info=PERSONAL),  # JSON of the properties that rules read
    sqlite_with_rowid=False,
)

timeline_folded = Table(
    "timeline_folded",
    STATE,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("name", Words, primary_key=True),
    Column("entries", Int64, nullable=False),  # dropped because there were too many; the oldest ones
    Column("upto", Int64, nullable=False),  # the greatest time among them
    sqlite_with_rowid=False,
)

group_fragment = Table(
    "group_fragment",
    STATE,
    Column("group_id", Words, primary_key=True, info=PERSONAL),
    Column("traits", Words, nullable=False, info=PERSONAL),  # JSON, see fragment.py
    sqlite_with_rowid=False,
)

group_member = Table(
    "group_member",
    STATE,
    Column("signature", Int64, primary_key=True, autoincrement=False),
    Column("group_id", Words, primary_key=True, info=PERSONAL),
    Column("since", Int64, nullable=False),  # the time of the first event that said so
    sqlite_with_rowid=False,
)
Index("group_member_by_group", group_member.c.group_id, group_member.c.signature)

trait_version = Table(
    "trait_version",
    STATE,
    Column("trait", Words, primary_key=True),
    Column("version", Words, nullable=False),  # what fragments and timelines were made with
    sqlite_with_rowid=False,
)
