"""What govern keeps in the control store: the keys, by the hash of their secret."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

CONTROL = MetaData()
"""Every table of the control store (``control.db``)."""

key = Table(
    "key",
    CONTROL,
    Column("hash", Text, primary_key=True),  # scheme prefix and digest of the secret
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),  # of a write key, otherwise empty
    Column("scopes", Text, nullable=False),  # of an API key, separated by spaces, otherwise empty
    Column("created", Integer, nullable=False),  # µs
    Column("revoked", Integer),  # µs; null while the key is valid
    Column("change", Integer, nullable=False, index=True),  # rises with every change of any key
    sqlite_with_rowid=False,
)
