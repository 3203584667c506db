"""The tables of the event log on PostgreSQL: the same as in ``log.db``, in the space's schema."""

from sqlalchemy import DDL, Column, Identity, Index, LargeBinary, MetaData, Table, event

from cauce.storage.records import PERSONAL, Int64, Words
from cauce.storage.revisions import declare

LOG = MetaData()
"""Every table of the log. Texts compare by code point, as everywhere."""

events = Table(
    "event",
    LOG,
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("received", Int64, nullable=False),
    Column("time", Int64, nullable=False),
    Column("call", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False, info=PERSONAL),
)
"""Hot rows; ``content`` is the fingerprint of the content in 8 bytes."""

KEEP_INLINE = "ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)"
"""Hot rows live for a short time: compressing them, or keeping them apart, would cost more than it saves."""

event.listen(
    events,
    "after_create",
    DDL(KEEP_INLINE.format(table="%(fullname)s")),  # type: ignore[no-untyped-call]
)

quarantine = Table(
    "quarantine",
    LOG,
    Column("number", Int64, Identity(), primary_key=True),
    Column("received", Int64, nullable=False),
    Column("source", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("body", LargeBinary, nullable=False, info=PERSONAL),
    Column("call", Words, nullable=False, server_default=""),
    Column("sent", Int64),
    Column("content", LargeBinary, nullable=False, server_default=""),
    Column("settled", Int64),
    Column("settlement", Words),
)
Index("quarantine_by_reason", quarantine.c.reason)
Index("quarantine_by_content", quarantine.c.content)

sealed = Table(
    "sealed",
    LOG,
    Column("first", Int64, primary_key=True, autoincrement=False),
    Column("last", Int64, nullable=False),
    Column("events", Int64, nullable=False),
    Column("last_received", Int64, nullable=False),
    Column("file", Words, nullable=False),
    Column("size", Int64, nullable=False),
    Column("checksum", Words, nullable=False),
)

sealed_statistics = Table(
    "sealed_statistics",
    LOG,
    Column("file", Words, primary_key=True),
    Column("document", Words, nullable=False),
)
"""What is known of a sealed file, as JSON; see ``statistics.py``."""

fixed = Table(
    "fixed",
    LOG,
    Column("name", Words, primary_key=True),
    Column("value", Int64, nullable=False),
)
"""``seed`` (of the fingerprints) and ``tick`` (the moment that was last promised)."""

declare(LOG, "log")
