"""A log on PostgreSQL for a test's folder: a file in it says where, so that every process finds it."""

from functools import cache, partial
from pathlib import Path

import msgspec

from cauce.eventlog.postgres import PostgresLog
from cauce.eventlog.postgres_sealing import PostgresSealable
from cauce.eventlog.sealable import Opener
from tests.services.postgres import Place

_FILE = "postgres.json"


def settle_in(place: Place, space: Path) -> None:
    """Let the logs of a folder be kept at a place."""
    (space / _FILE).write_bytes(msgspec.json.encode(place))


@cache
def place_of(space: Path) -> Place:
    """Where the logs of a folder are kept."""
    return msgspec.json.decode((space / _FILE).read_bytes(), type=Place)


def open_postgres(space: Path) -> PostgresLog:
    """The log of a folder."""
    place = place_of(space)
    return PostgresLog(place.url, place.schema, space)


def sealable_opener(space: Path) -> Opener:
    """How the log of a folder is opened for sealing."""
    place = place_of(space)
    return partial(PostgresSealable, place.url, place.schema, space)
