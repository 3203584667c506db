"""The channel to an SQL table: a batch of changes is one transaction over there."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from cauce.activate.answers import Answer
from cauce.activate.delivery import Delivery, Outcome
from cauce.activate.destinations import SqlTarget
from cauce.activate.tables import TableRow, TableWriter, WrongTable
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.exact import decode_json

_log = logging.getLogger(__name__)

_DONE = Answer(Outcome.DELIVERED)
_GRACE_SECONDS = 5.0
"""How much longer than its own limits a call may take before its thread is given up."""

T = TypeVar("T")


class TableChannel:
    """Tells a table; blocking calls run on threads that a hung database can keep without harm."""

    calls = 1
    rate = 1_000_000_000

    def __init__(self, target: SqlTarget, writer: TableWriter) -> None:
        self.batch = target.definition.batch
        self._timeout = target.definition.timeout * 2 + _GRACE_SECONDS
        self._target = target
        self._writer = writer

    async def tell(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        """Write a batch; rows that the table refuses are found by writing them one by one."""
        rows = [_row(one) for one in deliveries]
        try:
            async with asyncio.timeout(self._timeout):
                return await _on_a_thread(lambda: self._write(rows), f"table-{self._target.name}")
        except TimeoutError:
            self._writer.give_up()
            return [Answer(Outcome.UNKNOWN, error=f"no answer within {self._timeout:g} s")] * len(rows)
        except asyncio.CancelledError:
            return [Answer(Outcome.UNKNOWN, error="Cauce stopped, after sending")] * len(rows)

    def _write(self, rows: list[TableRow]) -> list[Answer]:
        answer = self._attempt(rows)
        if answer.outcome is not Outcome.REFUSED or len(rows) == 1:
            return [answer] * len(rows)
        return [self._attempt([row]) for row in rows]

    def _attempt(self, rows: Sequence[TableRow]) -> Answer:
        try:
            self._writer.write(rows)
        except WrongTable as error:
            return Answer(Outcome.FAILED, error=str(error))
        except (DataError, IntegrityError) as error:
            return Answer(Outcome.REFUSED, error=f"the database refused the row ({_name(error)})")
        except DBAPIError as error:
            self._writer.close()
            return Answer(Outcome.FAILED, error=f"the database failed ({_name(error)})")
        except SQLAlchemyError as error:
            return Answer(Outcome.FAILED, error=f"the database failed ({type(error).__name__})")
        except (CauceError, OSError) as error:
            return Answer(Outcome.FAILED, error=getattr(error, "message", type(error).__name__))
        return _DONE

    def close(self) -> None:
        """Let go of connections."""
        self._writer.close()


def _row(one: Delivery) -> TableRow:
    values = decode_json(one.body)
    assert isinstance(values, dict)
    return TableRow(values, bool(one.entered))


def _name(error: DBAPIError) -> str:
    """The kind of an error and its SQLSTATE, never its text: that may hold values."""
    state = getattr(error.orig, "sqlstate", None)
    kind = type(error.orig).__name__
    return f"{kind} {state}" if state else kind


async def _on_a_thread(work: Callable[[], T], name: str) -> T:
    """Run blocking work on a daemon thread of its own: if nobody waits any more, it is forgotten."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[T] = loop.create_future()

    def settle(how: Callable[[Any], None], what: Any) -> None:
        if not over.done():
            how(what)

    def run() -> None:
        try:
            found = work()
        except BaseException as error:
            call, what = over.set_exception, error
        else:
            call, what = over.set_result, found  # type: ignore[assignment]
        try:
            loop.call_soon_threadsafe(settle, call, what)
        except RuntimeError:  # the loop is closed: nobody waits
            _log.info("%s ended after nobody waited for it", name)

    Thread(target=run, name=name, daemon=True).start()
    return await over
