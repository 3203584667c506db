"""Tables: rows of a destination's SQL table, written so that repeating changes nothing.

Names go to the database quoted, whatever they hold. A row carries the sequence of
its change, and an older change never overwrites a newer one. PostgreSQL and SQLite
do that in one statement (``ON CONFLICT``); any other dialect of SQLAlchemy gets an
UPDATE, and an INSERT of what is not there yet, in one transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import RLock
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    create_engine,
    delete,
    insert,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import TypeEngine

from cauce.activate.destinations import SqlTarget
from cauce.activate.fields import Column as Field
from cauce.activate.fields import ColumnType, fit, table_columns
from cauce.vocabulary.definitions import TableMode
from cauce.vocabulary.errors import BadSettings

_INSERTING: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_KEY = ("profile_id", "segment")
_KEYS_AT_ONCE = 200

_TYPES: dict[ColumnType, TypeEngine[Any]] = {
    ColumnType.TEXT: Text(),
    ColumnType.ANY: Text(),
    ColumnType.NUMBER: Numeric(38, 9),
    ColumnType.INTEGER: BigInteger(),
    ColumnType.BOOLEAN: Boolean(),
    ColumnType.TIME: DateTime(timezone=True),
}


class WrongTable(Exception):
    """The table cannot take the rows as it is; the text says why, without personal data."""


class TableRow(NamedTuple):
    """A row as JSON values by column, and whether the person is in the segment."""

    values: Mapping[str, Any]
    member: bool


class TableWriter:
    """Writes to one table; one call at a time. ``SQLAlchemyError`` is passed on."""

    def __init__(self, target: SqlTarget) -> None:
        self._target = target
        self._definition = target.definition
        self._fields = table_columns(target.definition)
        self._named = {field.value: f"c{index}" for index, field in enumerate(self._fields)}
        self._keys = [self._named[one] for one in _KEY]
        self._table = self._described()
        self._engine: Engine | None = None
        self._url = b""
        self._checked = False
        self.lock = RLock()
        """Held by whoever writes, so that changes and a comparison never mix."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns in their order."""
        return self._fields

    @property
    def mirrors(self) -> bool:
        """Whether the table holds exactly who is in."""
        return self._definition.mode is TableMode.MIRROR

    def _described(self) -> Table:
        keyed = {field.name for field in self._fields if field.value in _KEY}
        columns = [
            Column(
                quoted_name(field.name, quote=True),
                # a key needs a length in databases other than the two
                Text().with_variant(String(255), "mysql", "mariadb", "mssql", "oracle")
                if field.name in keyed
                else _TYPES[field.type],
                key=f"c{index}",
                primary_key=field.name in keyed,
                nullable=field.name not in keyed,
            )
            for index, field in enumerate(self._fields)
        ]
        definition = self._definition
        schema = quoted_name(definition.schema, quote=True) if definition.schema else None
        return Table(quoted_name(definition.table, quote=True), MetaData(), *columns, schema=schema)

    def write(self, rows: Sequence[TableRow]) -> None:
        """Write some rows of different people in one transaction."""
        with self.lock, self.transaction() as connection:
            gone = [] if not self.mirrors else [row for row in rows if not row.member]
            there = rows if not self.mirrors else [row for row in rows if row.member]
            self.put(connection, [self.values(row.values) for row in there])
            for row in gone:
                self._remove(connection, self.values(row.values))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction on the table, which is there and fits; raises ``WrongTable`` if it is not."""
        with self._open().begin() as connection:
            if not self._checked:
                self._check(connection)
            yield connection
        self._checked = True

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as parameters, each value as the type of its column."""
        found: dict[str, Any] = {}
        for index, field in enumerate(self._fields):
            value = fit(row.get(field.name), field.type)
            if isinstance(value, str):
                value = value.replace("\x00", "\ufffd")  # PostgreSQL cannot hold it
            found[f"c{index}"] = value
        return found

    def put(self, connection: Connection, rows: Sequence[dict[str, Any]], *, anew: bool = False) -> None:
        """Insert rows, or bring those that are there up to date unless they are newer.

        ``anew`` also overwrites what is not older, as a comparison does, and then
        keeps the greater sequence.
        """
        if not rows:
            return
        inserting = _INSERTING.get(connection.dialect.name)
        if inserting is None:
            self._put_anyhow(connection, rows, anew=anew)
            return
        statement = inserting(self._table)
        given = {column.key: statement.excluded[column.key] for column in self._rest()}
        if anew:
            given[self._sequence.key] = _greater(self._sequence, given[self._sequence.key])
            differs = or_(*(self._table.c[key].is_distinct_from(value) for key, value in given.items()))
            statement = statement.on_conflict_do_update(
                index_elements=self._index(), set_=given, where=differs
            )
        else:
            statement = statement.on_conflict_do_update(
                index_elements=self._index(),
                set_=given,
                where=self._sequence < statement.excluded[self._sequence.key],
            )
        connection.execute(statement, list(rows))

    def _put_anyhow(self, connection: Connection, rows: Sequence[dict[str, Any]], *, anew: bool) -> None:
        """In any dialect: lock and read what is there, update it, insert the others."""
        there = self._sequences(connection, rows)
        new = [row for row in rows if self._key(row) not in there]
        newer = self._named["sequence"]
        old = [
            row
            for row in rows
            if (known := there.get(self._key(row))) is not None and (anew or (known[0] or 0) < row[newer])
        ]
        for row in old:
            sequence = max(there[self._key(row)][0] or 0, row[newer])
            matching = and_(*(self._table.c[key] == row[key] for key in self._keys))
            rest = {column.key: row[column.key] for column in self._rest()} | {newer: sequence}
            connection.execute(update(self._table).where(matching).values(rest))
        if new:
            connection.execute(insert(self._table), new)

    def _sequences(
        self, connection: Connection, rows: Sequence[dict[str, Any]]
    ) -> dict[tuple[Any, ...], tuple[int | None]]:
        """The keys that are there, locked until the end of the transaction, with their sequences."""
        found: dict[tuple[Any, ...], tuple[int | None]] = {}
        columns = [self._table.c[key] for key in self._keys]
        for some in _chunks(rows, _KEYS_AT_ONCE):
            any_of = or_(*(and_(*(column == row[column.key] for column in columns)) for row in some))
            for *key, sequence in connection.execute(
                select(*columns, self._sequence).where(any_of).with_for_update()
            ):
                found[tuple(key)] = (sequence,)
        return found

    def _key(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[key] for key in self._keys)

    def _remove(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Take a row out, unless it is newer than the change that says so."""
        matching = and_(*(self._table.c[key] == row[key] for key in self._keys))
        newer = self._sequence <= row[self._named["sequence"]]
        connection.execute(delete(self._table).where(matching, newer))

    def keys(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """The profile id and segment of every row, as they come."""
        columns = [self._table.c[key] for key in self._keys]
        found = connection.execute(select(*columns), execution_options={"yield_per": 5_000})
        yield from ((profile_id, segment) for profile_id, segment in found)

    def remove_keys(self, connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
        """Take rows out, whatever their sequence."""
        first, second = (self._table.c[key] for key in self._keys)
        statement = delete(self._table).where(first == bindparam("p"), second == bindparam("s"))
        for some in _chunks(keys, 1_000):
            connection.execute(statement, [{"p": profile_id, "s": segment} for profile_id, segment in some])

    @property
    def _sequence(self) -> Column[Any]:
        return self._table.c[self._named["sequence"]]

    def _rest(self) -> list[Column[Any]]:
        return [column for column in self._table.c if column.key not in self._keys]

    def _index(self) -> list[Column[Any]]:
        return [self._table.c[key] for key in self._keys]

    def _open(self) -> Engine:
        """The engine; another one if the secret has changed."""
        url = self._target.url.read()
        if self._engine is None or url != self._url:
            self.close()
            self._url, self._checked = url, False
            self._engine = _engine(url.decode(), self._definition.name, self._definition.timeout)
        return self._engine

    def _check(self, connection: Connection) -> None:
        """Make the table if that is asked for; raises ``WrongTable`` if it does not fit."""
        definition = self._definition
        inspector = inspect(connection)
        if not inspector.has_table(definition.table, schema=definition.schema or None):
            if not definition.create:
                raise WrongTable("there is no such table; make it, or write `create: true`")
            self._table.create(connection)
            return
        there = {one["name"] for one in inspector.get_columns(definition.table, definition.schema or None)}
        missing = [field.name for field in self._fields if field.name not in there]
        if missing:
            raise WrongTable(f"the table lacks the columns {', '.join(missing)}")
        wanted = {field.name for field in self._fields if field.value in _KEY}
        if wanted not in _unique(connection, definition.table, definition.schema or None):
            raise WrongTable(f"the table needs a primary key of exactly {' and '.join(sorted(wanted))}")

    def give_up(self) -> None:
        """Let whoever hangs keep the lock and the connection, and go on with others."""
        self.lock = RLock()
        self._engine = None

    def close(self) -> None:
        """Let go of connections; they are opened again when needed."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _unique(connection: Connection, table: str, schema: str | None) -> list[set[str | None]]:
    """The sets of columns that are unique in a table."""
    inspector = inspect(connection)
    found: list[set[str | None]] = [set(inspector.get_pk_constraint(table, schema)["constrained_columns"])]
    found += [set(one["column_names"]) for one in inspector.get_unique_constraints(table, schema)]
    found += [set(one["column_names"]) for one in inspector.get_indexes(table, schema) if one["unique"]]
    return found


def _greater(one: Any, other: Any) -> Any:
    return case((one > other, one), else_=other)


def _engine(url: str, name: str, timeout: int) -> Engine:
    """An engine whose connections give up: raises ``BadSettings`` if the URL names no database.

    Errors of the driver name no values: ``hide_parameters``.
    """
    try:
        parsed = make_url(url)
        dialect = parsed.get_dialect().name
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed, connect_args=_limits(dialect, parsed, timeout), poolclass=NullPool, hide_parameters=True
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise BadSettings(
            f"Destination {name} has a URL that names no known database ({type(error).__name__}).",
            hint="Write it as dialect://user:password@host/database, and install the driver of the dialect.",
        ) from None  # the text of the error may hold the password


def _limits(dialect: str, url: URL, timeout: int) -> dict[str, Any]:
    """What makes a driver give up in time."""
    match dialect:
        case "postgresql":
            millis = timeout * 1_000
            asked = url.query.get("options", "")
            return {
                "connect_timeout": max(2, timeout),
                "tcp_user_timeout": millis,
                "options": f"-c statement_timeout={millis} -c lock_timeout={millis} {asked}",
            }
        case "sqlite":
            return {"timeout": float(timeout)}
        case _:
            return {}


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
