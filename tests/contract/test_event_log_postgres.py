"""PostgreSQL keeps the contract of the event log, and what is particular to a server."""

from pathlib import Path

import pytest

from tests.contract.event_log_contract import EventLogContract, EventLogProcessContract
from tests.contract.event_log_postgres import settle_in
from tests.services.postgres import Place


@pytest.fixture(autouse=True)
def space(postgres: Place, tmp_path: Path) -> Path:
    """A folder whose log is on PostgreSQL."""
    settle_in(postgres, tmp_path)
    return tmp_path


class TestPostgresLog(EventLogContract):
    engine_name = "postgres"


class TestPostgresLogProcesses(EventLogProcessContract):
    engine_name = "postgres"
