"""What the profile stage keeps: a fragment and a timeline for each signature."""

from sqlalchemy import Column, Integer, Table, Text

from cauce.storage.records import PERSONAL, STATE

fragment = Table(
    "fragment",
    STATE,
    Column("signature", Integer, primary_key=True, autoincrement=False),
    Column("folded", Integer, nullable=False),  # timeline entries dropped because there were too many
    Column("traits", Text, nullable=False, info=PERSONAL),  # JSON, see fragment.py
)

timeline = Table(
    "timeline",
    STATE,
    Column("signature", Integer, primary_key=True, autoincrement=False),
    Column("time", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("received", Integer, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("properties", Text, nullable=False, info=PERSONAL),  # JSON of the properties that rules read
    sqlite_with_rowid=False,
)
