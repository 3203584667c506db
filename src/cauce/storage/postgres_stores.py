"""The state stores of a space in schemas of PostgreSQL: its own, and two beside it.

A swap moves the tables between the schemas in one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Connection

from cauce.storage.postgres import PostgresRecords, PostgresTransaction
from cauce.storage.records import STATE, Reader, Records, Transaction
from cauce.storage.stores import Other, carried_tables, is_carried, unchecked
from cauce.vocabulary.errors import NotFound


class PostgresStores:
    """The stores beside a schema; see ``Stores``."""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._schema = schema

    def begin(self) -> Records:
        """A new, empty shadow."""
        self.discard(Other.SHADOW)
        return self._records(Other.SHADOW)

    @contextmanager
    def open(self, which: Other) -> Iterator[Records | None]:
        """One of the other stores, if there is one."""
        if not self._there(which):
            yield None
            return
        with closing(self._records(which)) as records:
            yield records

    def swap(
        self,
        which: Other,
        prepare: Callable[[Transaction], None],
        check: Callable[[Reader], None] = unchecked,
    ) -> None:
        """Make another store the one in force."""
        if not self._there(which):
            raise NotFound(f"There is no {which} store.", hint="Make one with `cauce rebuild`.")
        with closing(self._live()) as live, live.write() as transaction:
            connection = transaction.connection
            check(transaction)
            self._carry(connection, which)
            other = self._named(which)
            connection.exec_driver_sql(f'SET LOCAL search_path TO "{other}"')
            prepare(PostgresTransaction(connection))
            connection.exec_driver_sql(f'SET LOCAL search_path TO "{self._schema}"')
            self._exchange(connection, which)

    def _carry(self, connection: Connection, which: Other) -> None:
        other = self._named(which)
        for table in carried_tables():
            columns = ", ".join(f'"{column.name}"' for column in table.columns)
            connection.exec_driver_sql(f'DELETE FROM "{other}"."{table.name}"')
            connection.exec_driver_sql(
                f'INSERT INTO "{other}"."{table.name}" ({columns}) '
                f'SELECT {columns} FROM "{self._schema}"."{table.name}"'
            )
        for name, value in connection.exec_driver_sql(f'SELECT * FROM "{self._schema}".progress').fetchall():
            if is_carried(name):
                connection.exec_driver_sql(
                    f'INSERT INTO "{other}".progress VALUES (%s, %s) '
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    (name, value),
                )

    def _exchange(self, connection: Connection, which: Other) -> None:
        """Move the tables: those in force to a schema of their own, the others to where those were."""
        other, aside, former = self._named(which), f"{self._schema}_aside", self._named(Other.FORMER)
        for schema in (aside, *((former,) if which is Other.SHADOW else ())):
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        connection.exec_driver_sql(f'CREATE SCHEMA "{aside}"')
        for table in STATE.tables:
            connection.exec_driver_sql(f'ALTER TABLE "{self._schema}"."{table}" SET SCHEMA "{aside}"')
            connection.exec_driver_sql(f'ALTER TABLE "{other}"."{table}" SET SCHEMA "{self._schema}"')
        connection.exec_driver_sql(f'DROP SCHEMA "{other}" CASCADE')
        connection.exec_driver_sql(f'ALTER SCHEMA "{aside}" RENAME TO "{former}"')

    def discard(self, which: Other) -> bool:
        """Remove one of the other stores; whether there was one."""
        if not self._there(which):
            return False
        with closing(self._live()) as live, live.write() as transaction:
            transaction.connection.exec_driver_sql(f'DROP SCHEMA "{self._named(which)}" CASCADE')
        return True

    def _there(self, which: Other) -> bool:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename = 'progress'"
        with closing(self._live()) as live, live.read() as reader:
            return bool(reader.connection.exec_driver_sql(query, (self._named(which),)).scalar())

    def _named(self, which: Other) -> str:
        return f"{self._schema}_{which}"

    def _records(self, which: Other) -> PostgresRecords:
        return PostgresRecords(self._url, self._named(which), STATE, durable=False)

    def _live(self) -> PostgresRecords:
        return PostgresRecords(self._url, self._schema, STATE, durable=False)
