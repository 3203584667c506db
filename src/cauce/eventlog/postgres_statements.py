"""What the event log says to PostgreSQL: every statement, its tables named with the space's schema."""

_ROW = "position, received, time, call, name, message_id, source, body"

_APPENDING, _SEALING = 1 << 32, 2 << 32
"""A lock is named by one of these plus the number of the table ``event``, which no renaming changes."""

_HEAD = """
SELECT greatest(coalesce(e.position, 0), coalesce(s.last, 0)),
  greatest(coalesce(e.received, 0), coalesce(s.last_received, 0), coalesce(t.value, 0)),
  coalesce(s.last, 0)
"""
_HEAD_FROM = """
FROM (SELECT 1) AS one
LEFT JOIN (SELECT position, received FROM {schema}.event ORDER BY position DESC LIMIT 1) AS e ON true
LEFT JOIN (SELECT last, last_received FROM {schema}.sealed ORDER BY first DESC LIMIT 1) AS s ON true
LEFT JOIN {schema}.fixed AS t ON t.name = 'tick'
"""
_SEALED_TO = "(SELECT coalesce((SELECT last FROM {schema}.sealed ORDER BY first DESC LIMIT 1), 0))"


class Statements:
    """The statements for one schema; those with ``%s`` or ``%(name)s`` take parameters."""

    def __init__(self, schema: str) -> None:
        self._schema = f'"{schema.replace(chr(34), 2 * chr(34))}"'
        self._append()
        self._read()
        self._seal()

    def _append(self) -> None:
        self.appending = self._made(f"SELECT pg_advisory_xact_lock({self._key(_APPENDING)})")
        self.lock_alone = b"BEGIN ISOLATION LEVEL READ COMMITTED; " + self.appending
        self.lock = self.lock_alone + self._made(f"; {_HEAD}, pg_current_xact_id()::text {_HEAD_FROM}")
        self.copy = self._made(
            "COPY {schema}.event (position, received, time, call, name, message_id, source, content, body)"
            " FROM STDIN (FORMAT BINARY)"
        )
        self.quarantine = self._made(
            "INSERT INTO {schema}.quarantine (received, source, reason, detail, body, call, sent, content)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        )
        self.known_conflicts = self._made(
            "SELECT content, source, reason FROM {schema}.quarantine WHERE content = ANY(%s)"
        )
        self.settle = self._made(
            "UPDATE {schema}.quarantine SET settled = %s, settlement = %s"
            " WHERE settled IS NULL AND number = ANY(%s)"
        )
        self.fix = self._made(
            "INSERT INTO {schema}.fixed VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        self.fix_once = self._made("INSERT INTO {schema}.fixed VALUES (%s, %s) ON CONFLICT (name) DO NOTHING")
        self.marks = self._made(
            "SELECT name, value FROM {schema}.fixed WHERE name IN ('moving', 'moved', 'arrived')"
        )
        self.fixed = self._made("SELECT value FROM {schema}.fixed WHERE name = %s")
        self.later = self._made(
            "SELECT s.last, e.position, e.message_id, e.content FROM"
            f" (SELECT {_SEALED_TO} AS last) AS s"
            " LEFT JOIN {schema}.event AS e ON e.position > greatest(s.last, %s)"
            " ORDER BY e.position LIMIT %s"
        )

    def _read(self) -> None:
        self.read = self._made(
            f"SELECT {_ROW} FROM {{schema}}.event"
            f" WHERE position > %(after)s AND %(after)s >= {_SEALED_TO} ORDER BY position LIMIT %(limit)s"
        )
        self.hot = self._made(
            f"SELECT {_ROW} FROM {{schema}}.event"
            f" WHERE position > {_SEALED_TO} AND position <= %s ORDER BY position"
        )
        self.at = self._made(
            f"SELECT {_ROW} FROM {{schema}}.event"
            f" WHERE position > {_SEALED_TO} AND time = ANY(%s) ORDER BY position LIMIT %s"
        )
        self.head = self._made(f"{_HEAD} {_HEAD_FROM}")
        self.ranges = self._made("SELECT * FROM {schema}.sealed ORDER BY first")
        self.range_at = self._made(
            "SELECT * FROM {schema}.sealed WHERE first <= %s ORDER BY first DESC LIMIT 1"
        )
        self.quarantined = self._made(
            "SELECT number, received, source, reason, detail, body, call, sent, settled, settlement"
            " FROM {schema}.quarantine WHERE number > %(after)s"
            " AND (%(reason)s = '' OR reason = %(reason)s) AND (%(source)s = '' OR source = %(source)s)"
            " AND (%(settled)s::boolean IS NULL OR (settled IS NOT NULL) = %(settled)s::boolean)"
            " ORDER BY number LIMIT %(limit)s"
        )
        self.counts = self._made(
            "SELECT reason, count(*) FROM {schema}.quarantine WHERE settled IS NULL GROUP BY reason"
        )

    def _seal(self) -> None:
        self.statistics = self._made("SELECT file, document FROM {schema}.sealed_statistics")
        self.lengths = self._made(
            "SELECT position, octet_length(body) FROM {schema}.event"
            " WHERE position BETWEEN %s AND %s ORDER BY position LIMIT %s"
        )
        self.to_seal = self._made(
            f"SELECT {_ROW}, content FROM {{schema}}.event"
            " WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"
        )
        self.unregister = self._made("DELETE FROM {schema}.sealed WHERE first = ANY(%s)")
        self.forget_statistics = self._made("DELETE FROM {schema}.sealed_statistics WHERE file = ANY(%s)")
        self.register = self._made("INSERT INTO {schema}.sealed VALUES (%s, %s, %s, %s, %s, %s, %s)")
        self.keep_statistics = self._made("INSERT INTO {schema}.sealed_statistics VALUES (%s, %s)")
        self.first_row = self._made("SELECT position FROM {schema}.event ORDER BY position LIMIT 1")
        self.delete = self._made("DELETE FROM {schema}.event WHERE position < %s")
        self.try_seal = self._made(f"SELECT pg_try_advisory_lock({self._key(_SEALING)})")
        self.who_seals = self._made(
            "SELECT 'server process ' || pid || coalesce(' for ' || client_addr, '')"
            " FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            f" AND (classid::bigint << 32) + objid::bigint = {self._key(_SEALING)}"
        )

    def _key(self, lock: int) -> str:
        """The number of a lock, as SQL."""
        table = f"{self._schema}.event".replace("'", "''")
        return f"({lock} + '{table}'::regclass::oid::bigint)"

    def _made(self, text: str) -> bytes:
        return text.replace("{schema}", self._schema).encode()
