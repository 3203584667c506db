"""A schema of PostgreSQL as the place that a space leaves or comes to."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import BigInteger, Connection, LargeBinary, Table

from cauce.app.compose import Composition
from cauce.app.migrate.rows import STORES, Rows, tables
from cauce.eventlog.moved import ARRIVED, MARKS, MOVED, MOVING
from cauce.eventlog.postgres_statements import Statements
from cauce.storage.postgres_connection import meaning
from cauce.storage.postgres_text import escaped, unescaped
from cauce.vocabulary.moment import Moment

_LOT = 5_000
_RAW = "log"
"""The store whose texts are kept as they are; those of the others are escaped."""

_GATES = ("event", "quarantine")

_Driver = psycopg.Connection[tuple[Any, ...]]


class PostgresPlace:
    """A schema; ``composition`` is the space as it is kept there."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition
        self._schema = composition.settings.store.schema
        self.name = f"the schema {self._schema} of PostgreSQL"

    def marks(self) -> dict[str, int]:
        """The marks of earlier moves."""
        with self._opened() as driver:
            if not _has(driver, self._schema, "fixed"):
                return {}
            rows = driver.execute("SELECT name, value FROM fixed WHERE name = ANY(%s)", (list(MARKS),))
            return dict(rows.fetchall())

    def is_taken(self) -> bool:
        """Whether a space is here."""
        with self._opened() as driver:
            return any(_has(driver, self._schema, table.name) for store in STORES for table in tables(store))

    @contextmanager
    def held(self) -> Iterator["_Rows"]:
        """The space as it is, while nobody can write to it."""
        with self._opened() as driver:
            driver.execute(Statements(self._schema).appending)
            yield _Rows(driver)

    def mark_moving(self, held: "_Rows", number: int) -> None:
        """Say that it may be gone from now on, and take no event any more, also from who has it open."""
        with _told():
            _fix(held.driver, MOVING, number)
            held.driver.execute(
                "CREATE OR REPLACE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'the space was moved away'; END $$"
            )
            for table in _GATES:
                held.driver.execute(
                    _sql(
                        f"CREATE OR REPLACE TRIGGER moved BEFORE INSERT ON {table}"
                        " FOR EACH STATEMENT EXECUTE FUNCTION moved()"
                    )
                )
            held.driver.execute("COMMIT")

    def mark_moved(self, now: Moment) -> None:
        """Say that it is gone."""
        with self._opened() as driver:
            driver.execute("DELETE FROM fixed WHERE name = %s", (MOVING,))
            _fix(driver, MOVED, now)

    def unmark(self) -> None:
        """Say that it never went."""
        with self._opened() as driver:
            driver.execute("DELETE FROM fixed WHERE name = %s", (MOVING,))
            driver.execute("DROP FUNCTION IF EXISTS moved() CASCADE")

    @contextmanager
    def receiving(self, number: int, *, discard: bool) -> Iterator["_Rows"]:
        """New tables, which exist once the block ends well; ``discard`` removes those that are there."""
        with self._composition.altered("log") as connection:
            assert connection is not None, "there is always a connection to PostgreSQL"
            with _told():
                driver = _driver(connection)
                if discard:
                    driver.execute(_sql(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE'))
                driver.execute(_sql(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"'))
                for made in STORES.values():
                    made.create_all(connection, checkfirst=False)
                yield _Rows(driver)
                _fix(driver, ARRIVED, number)

    def finish(self, number: int) -> bool:
        """Whether the move of that number has arrived."""
        return self.marks().get(ARRIVED) == number

    def discard(self) -> None:
        """Nothing is left of a transaction that was cut short."""

    @contextmanager
    def _opened(self) -> Iterator[_Driver]:
        """A transaction that has the space for itself."""
        with self._composition.altered("log") as connection:
            assert connection is not None, "there is always a connection to PostgreSQL"
            with _told():
                driver = _driver(connection)
                driver.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield driver


class _Rows:
    """Tables of a schema in an open transaction; see ``Target``."""

    def __init__(self, driver: _Driver) -> None:
        self.driver = driver

    def count(self, store: str, table: Table) -> int:  # noqa: ARG002  all stores are in one schema
        """How many rows a table has."""
        found = self.driver.execute(_sql(f'SELECT count(*) FROM "{table.name}"')).fetchone()
        return int(found[0]) if found else 0

    def rows(self, store: str, table: Table) -> Iterator[Rows]:
        """The rows of a table, in the order of its key."""
        key = ", ".join(f'"{column.name}"' for column in table.primary_key)
        with self.driver.cursor("moving") as cursor:
            cursor.execute(_sql(f'SELECT {_columns(table)} FROM "{table.name}" ORDER BY {key}'))
            while lot := cursor.fetchmany(_LOT):
                yield lot if store == _RAW else [tuple(map(unescaped, row)) for row in lot]

    def put(self, store: str, table: Table, rows: Iterable[Rows]) -> None:
        """Write the rows of a table."""
        statement = f'COPY "{table.name}" ({_columns(table)}) FROM STDIN (FORMAT BINARY)'
        with self.driver.cursor() as cursor, cursor.copy(_sql(statement)) as copy:
            copy.set_types([_type(column.type) for column in table.columns])
            for lot in rows:
                for row in lot:
                    copy.write_row(row if store == _RAW else [_escaped(value) for value in row])
        number = table.columns.get("number")
        if number is not None and number.identity is not None:
            name = table.name
            self.driver.execute(
                _sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'number'), max(number)) FROM {name}")
            )


def _escaped(value: Any) -> Any:
    return escaped(value) if type(value) is str else value


def _type(type_: Any) -> str:
    if isinstance(type_, LargeBinary):
        return "bytea"
    return "int8" if isinstance(type_, BigInteger) else "text"


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _fix(driver: _Driver, name: str, value: int) -> None:
    driver.execute(
        "INSERT INTO fixed VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def _has(driver: _Driver, schema: str, table: str) -> bool:
    found = driver.execute(
        "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = %s", (schema, table)
    )
    return found.fetchone() is not None


def _driver(connection: Connection) -> _Driver:
    return cast(_Driver, connection.connection.driver_connection)


def _sql(text: str) -> Any:
    return text.encode()


@contextmanager
def _told() -> Iterator[None]:
    """Raise PostgreSQL's errors as ours."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error) from error
