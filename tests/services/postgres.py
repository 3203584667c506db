"""A PostgreSQL server of one's own: a throwaway cluster, a fresh schema for each test.

The server listens on 127.0.0.1 and a socket in its folder, with fsync on, under an
account that is not root. ``CAUCE_TEST_POSTGRES`` may name an existing server instead (a
URL); tests that stop their server make one in any case. Where no PostgreSQL is installed,
tests skip; with CI set they fail.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

PASSWORD = "not-a-secret"
_ACCOUNTS = ("postgres", "nobody")
_PATIENCE = 60.0
_SETTINGS = {
    "fsync": "on",
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "log_min_messages": "fatal",
}


class Place(NamedTuple):
    """Where a test may work: the URL of a database, and a schema that nobody else uses."""

    url: str
    schema: str

    @property
    def variables(self) -> dict[str, str]:
        """The settings of a space that is stored there, as environment variables."""
        return {"CAUCE_STORE__URL": self.url, "CAUCE_STORE__SCHEMA": self.schema}


class Cluster:
    """A server that can be stopped, crashed and started again; see ``own_cluster``."""

    def __init__(self, folder: Path, programs: Path, *, wal_megabytes: int = 16) -> None:
        self._folder = folder
        self._wal_megabytes = wal_megabytes
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.url = f"postgresql://cauce:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        self._initialize()

    @property
    def pid(self) -> int:
        """The process of the server."""
        assert self._process is not None, "the server is stopped"
        return self._process.pid

    def _initialize(self) -> None:
        _give_away(self._folder)
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        _give_away(secret)
        command = [self._programs / "initdb", "--pgdata", self._data, "--username", "cauce", "--no-sync"]
        command += ["--encoding", "UTF8", "--locale", "C", "--auth", "scram-sha-256", "--pwfile", secret]
        command += ["--wal-segsize", self._wal_megabytes]
        subprocess.run([*_as_other(), *map(str, command)], check=True, capture_output=True, cwd="/")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*_as_other(), str(self._programs / "postgres"), "-D", str(self._data), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + _PATIENCE
        while subprocess.run(ready, check=False).returncode != 0:
            said = (self._folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def revive(self) -> None:
        """Start the server if it has ended by itself, as it does when it cannot recover from a crash."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def keep_tables_in(self, folder: Path) -> None:
        """Put tables that are made from now on into a folder; the write-ahead log stays where it is."""
        import psycopg  # noqa: PLC0415  an extra: only tests that use PostgreSQL need it

        place = folder / "tables"
        place.mkdir()
        _give_away(place)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE apart LOCATION '{place}'")  # type: ignore[arg-type]
            connection.execute("ALTER DATABASE postgres SET default_tablespace = apart")

    def limit_files(self, megabytes: int | None) -> None:
        """Let the server, and what it starts, make no file larger than that; None lets it again.

        Under an account that may not change other accounts' limits, as root may not everywhere.
        """
        limit = "unlimited" if megabytes is None else str(megabytes << 20)
        for process in [psutil.Process(self.pid), *psutil.Process(self.pid).children()]:
            command = [*_as_other(), "prlimit", "--pid", str(process.pid), f"--fsize={limit}:"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            assert done.returncode == 0 or not process.is_running(), done.stderr

    def stop(self, *, crash: bool = False) -> None:
        """Stop the server: cut its connections, and with ``crash`` leave it to recover at the next start."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._process.wait(_PATIENCE)
            self._process = None


@contextmanager
def own_cluster(within: Path | None = None, *, wal_megabytes: int = 16) -> Iterator[Cluster]:
    """A running server of one's own; skips where PostgreSQL is not installed.

    Its files are ``within`` a folder that others may enter, and those of its WAL have ``wal_megabytes``.
    """
    folder = Path(tempfile.mkdtemp(prefix="cauce-postgres-", dir=within))
    try:
        cluster = Cluster(folder, _programs(), wal_megabytes=wal_megabytes)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop(crash=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a running server, one for all tests of this run."""
    if given := os.environ.get("CAUCE_TEST_POSTGRES"):
        yield given
        return
    with own_cluster() as cluster:
        yield cluster.url


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Place]:
    """A schema of one's own, by name: whoever uses it makes it; it is dropped afterwards."""
    with fresh_schema(postgres_url) as place:
        yield place


@contextmanager
def fresh_schema(url: str) -> Iterator[Place]:
    """A schema name that nobody else uses; schemas whose names begin with it are dropped afterwards."""
    import psycopg  # noqa: PLC0415  an extra: only tests that use PostgreSQL need it

    place = Place(url, f"test_{uuid.uuid4().hex[:12]}")
    try:
        yield place
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE starts_with(nspname::text, %s)", (place.schema,)
            )
            for (name,) in found.fetchall():
                connection.execute(f'DROP SCHEMA "{name}" CASCADE')  # type: ignore[arg-type]


def _programs() -> Path:
    """The folder of initdb and postgres; Debian keeps them out of PATH."""
    candidates = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and (candidate / "postgres").exists():
            return candidate
    message = "PostgreSQL is not installed: run tests/prepare.sh, or name a server in CAUCE_TEST_POSTGRES"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _account() -> pwd.struct_passwd:
    for name in _ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    message = "PostgreSQL refuses to run as root, and there is no other account"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _as_other() -> list[str]:
    """What to put before a command so that it runs without being root, and ends with its parent."""
    dying = ["--pdeathsig", "QUIT"]
    if os.geteuid() != 0:
        return ["setpriv", *dying] if shutil.which("setpriv") else []
    account = _account()
    switch = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
    return ["setpriv", *switch, *dying]


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        account = _account()
        os.chown(path, account.pw_uid, account.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
