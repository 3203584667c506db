"""What identity keeps: evidence independent of views, and per view the partition into profiles.

``identifier``, ``signature`` and ``signature_evidence`` say what events carried.
``identity_member`` and ``identity_profile`` say who is one person in a view.
Lists are JSON text, so that one row holds what one event needs. A commit costs by the
pages it changes: rows that change often are small, and what is in no order by nature,
the values of identifiers, is indexed by a hash of eight bytes.
Times are moments (microseconds UTC); ids are given in processing order.
"""

from sqlalchemy import Column, Index, Integer, Table, Text

from cauce.storage.records import PERSONAL, STATE

views = Table(
    "identity_view",
    STATE,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False),
    Column("rules", Text, nullable=False),
)
"""The rulesets in use; ``hash`` identifies the rules that made the rows of a view."""

identifiers = Table(
    "identifier",
    STATE,
    Column("id", Integer, primary_key=True),
    Column("hash", Integer, nullable=False),
    Column("key", Text, nullable=False, info=PERSONAL),
)
"""``key`` is ``type:value``, normalized and unique; it is found by its ``hash`` (``naming.py``)."""

Index("identifier_hash", identifiers.c.hash)

signatures = Table(
    "signature",
    STATE,
    Column("id", Integer, primary_key=True),
    Column("identifiers", Text, nullable=False),
)
"""``identifiers``: ids in ascending order, joined by commas. Never changes."""

evidence = Table(
    "signature_evidence",
    STATE,
    Column("identifiers", Text, primary_key=True),
    Column("signature", Integer, nullable=False),
    Column("sources", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""``sources``: source → [number of events, first time, last time]. Changes with every event."""

members = Table(
    "identity_member",
    STATE,
    Column("view", Integer, primary_key=True),
    Column("identifier", Integer, primary_key=True),
    Column("profile", Integer, nullable=False),
    Column("first_time", Integer, nullable=False),
    Column("cut", Integer),
    Column("links", Text, nullable=False),
    Column("signatures", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""A live identifier of a view, the profile it is in, and when it was first seen.

``links``: type → ids of the identifiers of that type it was seen with;
``signatures``: the signatures that link it; ``cut``: links to types of this
priority and weaker do not count (0: none counts, it is shared; null: all do).
"""

profiles = Table(
    "identity_profile",
    STATE,
    Column("view", Integer, primary_key=True),
    Column("profile", Integer, primary_key=True),
    Column("profile_id", Text, nullable=False),
    Column("members", Text, nullable=False),
    Column("signatures", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""A profile of a view, named by its anchor identifier.

``members``: type → ids of identifiers; ``signatures``: ids of the signatures whose
owner is a member, ascending.
"""

moves = Table(
    "identity_move",
    STATE,
    Column("seq", Integer, primary_key=True),
    Column("view", Integer, nullable=False),
    Column("identifier", Integer, nullable=False),
    Column("old", Integer),
    Column("new", Integer, nullable=False),
    Column("position", Integer, nullable=False),
)
"""The change feed: at ``position`` an identifier came from profile ``old`` (null: new) to ``new``."""
