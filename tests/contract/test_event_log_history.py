"""SQLite keeps the contract of history appended in bulk."""

from tests.contract.event_log_history_contract import EventLogHistoryContract


class TestSqliteHistory(EventLogHistoryContract):
    engine_name = "sqlite"
