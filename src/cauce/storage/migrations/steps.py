"""Steps that several revisions take."""

from typing import Any

import msgspec
from alembic import op
from sqlalchemy import Connection, Table, inspect, text

_CHUNK = 5_000
_encode = msgspec.json.Encoder(order="deterministic").encode


def reshape(table: Table, **filled: str) -> None:
    """Give a stored table the columns and indexes of ``table``, keeping its rows.

    ``filled`` gives new columns their value as an SQL expression; columns that
    ``table`` does not have are dropped.
    """
    connection = op.get_bind()
    looking = inspect(connection)
    present = {column["name"] for column in looking.get_columns(table.name)}
    for index in looking.get_indexes(table.name):
        op.drop_index(str(index["name"]), table.name)
    former = f"{table.name}_former"
    op.rename_table(table.name, former)
    if connection.dialect.name == "postgresql":
        op.execute(f'ALTER INDEX "{table.name}_pkey" RENAME TO "{former}_pkey"')
    table.create(connection)
    values = {c.name: filled.get(c.name, f'"{c.name}"') for c in table.columns}
    unknown = values.keys() - present - filled.keys()
    assert not unknown, f"nothing says what {unknown} of {table.name} should hold"
    names = ", ".join(f'"{name}"' for name in values)
    op.execute(f'INSERT INTO "{table.name}" ({names}) SELECT {", ".join(values.values())} FROM "{former}"')
    op.drop_table(former)


def keep_bodies_inline() -> None:
    """On PostgreSQL, keep the bodies of hot rows beside them, uncompressed: they live for a short time."""
    if op.get_bind().dialect.name == "postgresql":
        change = "ALTER TABLE event ALTER body SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)"
        op.execute(change)


def order_lists() -> None:
    """Write the lists that identity keeps in one order: types and sources by name, ids ascending."""
    connection = op.get_bind()
    _rewrite(connection, "identity_member", ("view", "identifier"), "links", ids=True)
    _rewrite(connection, "identity_profile", ("view", "profile"), "members", ids=True)
    _rewrite(connection, "signature_evidence", ("identifiers",), "sources", ids=False)


def _rewrite(connection: Connection, table: str, keys: tuple[str, ...], column: str, *, ids: bool) -> None:
    found = connection.execute(text(f'SELECT {", ".join(keys)}, "{column}" FROM {table}'))
    equal = " AND ".join(f"{key} = :{key}" for key in keys)
    update = text(f'UPDATE {table} SET "{column}" = :value WHERE {equal}')
    changed: list[dict[str, Any]] = []
    for *key, value in found:
        lists = msgspec.json.decode(value, type=dict[str, list[int]])
        ordered = _encode({name: sorted(some) if ids else some for name, some in lists.items()}).decode()
        if ordered != value:
            changed.append({**dict(zip(keys, key, strict=True)), "value": ordered})
    for start in range(0, len(changed), _CHUNK):
        connection.execute(update, changed[start : start + _CHUNK])
