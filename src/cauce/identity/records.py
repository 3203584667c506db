"""What identity keeps: evidence independent of views, and per view the partition into profiles.

``identifier``, ``signature`` and ``signature_evidence`` say what events carried.
``identity_member`` and ``identity_profile`` say who is one person in a view.
Lists are JSON text, so that one row holds what one event needs. A commit costs by the
pages it changes: rows that change often are small, and what is in no order by nature,
the values of identifiers, is indexed by a hash of eight bytes.
Times are moments (microseconds UTC); ids are given in processing order.
"""

from sqlalchemy import Column, Index, Table

from cauce.storage.records import CARRIED, PERSONAL, STATE, Int64, Words

views = Table(
    "identity_view",
    STATE,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("name", Words, nullable=False, unique=True),
    Column("hash", Words, nullable=False),
    Column("rules", Words, nullable=False),
)
"""The rulesets in use; ``hash`` identifies the rules that made the rows of a view."""

identifiers = Table(
    "identifier",
    STATE,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("hash", Int64, nullable=False),
    Column("key", Words, nullable=False, info=PERSONAL),
)
"""``key`` is ``type:value``, normalized and unique; it is found by its ``hash`` (``naming.py``)."""

Index("identifier_hash", identifiers.c.hash)

signatures = Table(
    "signature",
    STATE,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("identifiers", Words, nullable=False),
)
"""``identifiers``: ids in ascending order, joined by commas. Never changes."""

evidence = Table(
    "signature_evidence",
    STATE,
    Column("identifiers", Words, primary_key=True),
    Column("signature", Int64, nullable=False),
    Column("sources", Words, nullable=False),
    sqlite_with_rowid=False,
)
"""``sources``: source → [number of events, first time, last time]. Changes with every event."""

members = Table(
    "identity_member",
    STATE,
    Column("view", Int64, primary_key=True),
    Column("identifier", Int64, primary_key=True),
    Column("profile", Int64, nullable=False),
    Column("first_time", Int64, nullable=False),
    Column("cut", Int64),
    Column("links", Words, nullable=False),
    Column("signatures", Words, nullable=False),
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
    Column("view", Int64, primary_key=True),
    Column("profile", Int64, primary_key=True),
    Column("profile_id", Words, nullable=False),
    Column("members", Words, nullable=False),
    Column("signatures", Words, nullable=False),
    sqlite_with_rowid=False,
)
"""A profile of a view, named by its anchor identifier.

``members``: type → ids of identifiers; ``signatures``: ids of the signatures whose
owner is a member, ascending.
"""

statements = Table(
    "identity_statement",
    STATE,
    Column("position", Int64, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("time", Int64, nullable=False),
    Column("op", Words, nullable=False),
    Column("identifiers", Words, nullable=False, info=PERSONAL),
    Column("purposes", Words, nullable=False),
    Column("events", Words, nullable=False),
)
"""What was stated about identifiers, by the message ids of the statements; lists are JSON text."""

allowed = Table(
    "identity_allowed",
    STATE,
    Column("view", Int64, primary_key=True),
    Column("signature", Int64, primary_key=True),
    Column("sources", Words, nullable=False),
    sqlite_with_rowid=False,
)
"""The evidence of a signature that consent allows a view, where it does not allow all of it."""

moves = Table(
    "identity_move",
    STATE,
    Column("seq", Int64, primary_key=True, autoincrement=False),
    Column("view", Int64, nullable=False),
    Column("identifier", Int64, nullable=False),
    Column("old", Int64),
    Column("new", Int64, nullable=False),
    Column("position", Int64, nullable=False),
    info=CARRIED,
)
"""The change feed: at ``position`` an identifier came from profile ``old`` (null: new) to ``new``.

Read from its first row on, it gives the profile of every identifier. A swap of the
state adds what it moves: ``new`` is 0 for an identifier that is in no profile any more,
and one that the rebuilt state does not know at all goes on under a negative number.
"""
