"""A peer that is gone without a word is noticed: TCP looks after idle connections, on both sides."""

import os
import socket
from contextlib import closing

import psycopg

from cauce.storage.postgres_connection import connect
from tests.services.postgres import Place

OPTIONS = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 15_000,
}
SERVER = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "15s",
}


def in_force(connection: psycopg.Connection[tuple[object, ...]]) -> dict[int, int]:
    """The options of the socket, as the kernel has them."""
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return {option: same.getsockopt(socket.IPPROTO_TCP, option) for option in OPTIONS}


def test_both_sides_look_whether_the_other_is_there(postgres: Place) -> None:
    with closing(connect(postgres.url, postgres.schema, durable=True)) as connection:
        assert in_force(connection) == OPTIONS
        shown = {
            name: str(connection.execute(f"SHOW {name}").fetchall()[0][0])  # type: ignore[arg-type]
            for name in SERVER
        }
    assert shown == SERVER


def test_the_url_may_say_otherwise(postgres: Place) -> None:
    url = f"{postgres.url}?keepalives_idle=60&tcp_user_timeout=40000"
    with closing(connect(url, postgres.schema, durable=True)) as connection:
        found = in_force(connection)
    assert found == OPTIONS | {socket.TCP_KEEPIDLE: 60, socket.TCP_USER_TIMEOUT: 40_000}
