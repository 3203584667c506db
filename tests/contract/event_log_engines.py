"""The engines that claim the event log, by the name that test processes are given."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cauce.eventlog.port import EventLog
from cauce.eventlog.seal import seal
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call, Position, Refused
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_postgres import open_postgres, sealable_opener

ROWS_PER_FILE = 50


class Engine(NamedTuple):
    """How to open a log in a folder, and how to seal it in ranges of at most ``ROWS_PER_FILE``."""

    open: Callable[[Path], EventLog]
    seal: Callable[[Path, Position], None]


def _seal_sqlite(space: Path, upto: Position) -> None:
    seal(space, upto, lambda _: DEFAULT_NORMALIZATION, rows_per_file=ROWS_PER_FILE)


def _seal_postgres(space: Path, upto: Position) -> None:
    opener = sealable_opener(space)
    seal(space, upto, lambda _: DEFAULT_NORMALIZATION, opener=opener, rows_per_file=ROWS_PER_FILE)


ENGINES = {
    "sqlite": Engine(SqliteLog, _seal_sqlite),
    "postgres": Engine(open_postgres, _seal_postgres),
}


def event(message_id: str, body: str = "", *, time: int = 0, name: str = "Order Completed") -> Accepted:
    """A track call whose content is told by ``body``."""
    return Accepted(
        message_id=message_id,
        time=Moment(time),
        call=Call.TRACK,
        name=name,
        source="web",
        body=(body or f'{{"userId":"{message_id}"}}').encode(),
    )


def refused(reason: str, body: str = "rubbish") -> Refused:
    """Input refused for a reason."""
    return Refused(reason=reason, detail="It is no event.", source="web", body=body.encode())
