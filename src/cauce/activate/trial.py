"""Trials: one clearly marked test delivery, told apart from all others, and what came of it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from cauce.activate.answers import Answer
from cauce.activate.connect import Resolver
from cauce.activate.delivery import Outcome
from cauce.activate.destinations import FileTarget, SqlTarget, Target, WebhookTarget, allowed
from cauce.activate.fields import Change, Column, columns_of, row_of
from cauce.activate.files import write_rows
from cauce.activate.settings import ActivateSettings
from cauce.activate.tables import TableWriter, WrongTable
from cauce.activate.webhook import Webhook
from cauce.vocabulary.moment import Clock, to_iso

TEST = "cauce-test"
"""The profile id, user id and segment of everything that a trial tells."""


class Trial(NamedTuple):
    """What was sent, line by line, and what came of it."""

    sent: list[str]
    answer: Answer


class _Undone(Exception):
    """Takes back what a trial wrote."""


def try_out(target: Target, settings: ActivateSettings, clock: Clock, make_id: Callable[[], str]) -> Trial:
    """Make one test delivery.

    A webhook gets an event ``Cauce Test``. A file is written and removed. A table
    gets a row in a transaction that is rolled back.
    """
    match target:
        case WebhookTarget():
            return _try_webhook(target, settings, clock, make_id())
        case FileTarget():
            return _try_file(target, clock)
        case SqlTarget():
            return _try_table(target, clock)


def _try_webhook(target: WebhookTarget, settings: ActivateSettings, clock: Clock, id_: str) -> Trial:
    body = msgspec.json.encode(
        {
            "type": "track",
            "event": "Cauce Test",
            "messageId": id_,
            "timestamp": to_iso(clock()),
            "userId": TEST,
            "properties": {"test": True},
            "context": {"test": True},
            "integrations": {"All": False, target.name: True},
        }
    )

    async def send() -> Answer:
        with ThreadPoolExecutor(1) as lookups:
            tls = httpx.create_ssl_context()
            webhook = Webhook(target, settings, Resolver(lookups), tls, clock)
            try:
                return await webhook.attempt(id_, body, clock())
            finally:
                webhook.close()

    sent = [f"POST {target.url}", f"Idempotency-Key: {id_}", "Cauce-Signature: t=…,v1=…", body.decode()]
    return Trial(sent, asyncio.run(send()))


def _row(columns: tuple[Column, ...], clock: Clock) -> dict[str, object]:
    now = clock()
    return row_of(columns, Change(TEST, TEST, True, now, now, now), {})


def _try_file(target: FileTarget, clock: Clock) -> Trial:
    columns = columns_of(target.definition)
    path = target.folder / f"{target.name}-test.{target.definition.format}"
    sent = [f"write and remove {path}", msgspec.json.encode(_row(columns, clock)).decode()]
    try:
        folder = allowed(target)
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(path, target.definition.format, columns, [_row(columns, clock)])
        path.unlink()
    except OSError as error:
        return Trial(sent, Answer(Outcome.FAILED, error=f"{type(error).__name__}: {error.strerror}"))
    return Trial(sent, Answer(Outcome.DELIVERED))


def _try_table(target: SqlTarget, clock: Clock) -> Trial:
    writer = TableWriter(target)
    row = _row(writer.fields, clock)
    sent = [f"insert into {target.definition.table}, and roll back", msgspec.json.encode(row).decode()]
    try:
        with writer.transaction() as connection:
            writer.put(connection, [writer.values(row)])
            raise _Undone
    except _Undone:
        return Trial(sent, Answer(Outcome.DELIVERED))
    except WrongTable as error:
        return Trial(sent, Answer(Outcome.REFUSED, error=str(error)))
    except SQLAlchemyError as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        return Trial(sent, Answer(Outcome.FAILED, error=f"the database failed ({cause})"))
    finally:
        writer.close()
