"""What the evidence says of each identifier type: who owns its values, how many a person has, who is touched.

Works on the tables of ``audit_evidence``. The *owners* of a value are the values of one
stronger type that it was seen with: of the type of limit 1 that it was seen with most,
else of the strongest other one that it was seen with.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb

from cauce.vocabulary.moment import DAY, Moment

_PAIRS = """
CREATE TABLE audit_when AS SELECT signature, sum(events)::BIGINT AS events,
  min(first_time) AS first_time, max(last_time) AS last_time FROM audit_time GROUP BY signature;
CREATE TABLE audit_pair AS
SELECT strong.id AS strong, weak.id AS weak, strong.rank AS strong_rank, weak.rank AS weak_rank,
  sum(events)::BIGINT AS events, min(first_time) AS first_time, max(last_time) AS last_time
FROM audit_carried AS strong JOIN audit_carried AS weak USING (signature) JOIN audit_when USING (signature)
WHERE strong.rank < weak.rank GROUP BY ALL;
CREATE TABLE audit_owned AS
SELECT weak AS id, weak_rank AS rank, strong_rank AS owner_rank, count(*) AS owners
FROM audit_pair GROUP BY ALL;
CREATE TABLE audit_junk (id BIGINT);
"""


class Example(NamedTuple):
    """A value with what was counted of it: owners, values or events; ``value`` as stored."""

    value: str
    counted: int
    first: Moment | None = None
    last: Moment | None = None


class Measures:
    """The figures of one state, each by one query over columns."""

    def __init__(self, lake: duckdb.DuckDBPyConnection, types: Sequence[str]) -> None:
        self._lake = lake
        self.types = types
        """The types that the rules list, then those that only the data has; the place is the rank."""
        lake.execute(_PAIRS)

    def _rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self._lake.execute(query, list(parameters)).fetchall()

    def _number(self, query: str, *parameters: Any) -> int:
        return int(self._rows(query, *parameters)[0][0] or 0)

    def values(self, rank: int) -> int:
        """How many values of a type are not blocked."""
        return self._number("SELECT count(*) FROM audit_identifier WHERE rank = ? AND NOT blocked", rank)

    def events(self, rank: int) -> int:
        """How many events carried a type."""
        return self._number(
            "SELECT sum(events) FROM audit_when "
            "WHERE signature IN (SELECT signature FROM audit_carried WHERE rank = ?)",
            rank,
        )

    def covers(self, rank: int) -> dict[int, int]:
        """Of how many values of a type each stronger type, by rank, tells the owners."""
        return dict(
            self._rows("SELECT owner_rank, count(*) FROM audit_owned WHERE rank = ? GROUP BY ALL", rank)
        )

    def covered(self, rank: int) -> dict[int, int]:
        """Of how many values of each weaker type, by rank, a type tells the owners."""
        return dict(
            self._rows("SELECT rank, count(*) FROM audit_owned WHERE owner_rank = ? GROUP BY ALL", rank)
        )

    def owners(self, rank: int, owner_rank: int) -> dict[int, int]:
        """Number of owners → number of values."""
        return dict(
            self._rows(
                "SELECT owners, count(*) FROM audit_owned WHERE rank = ? AND owner_rank = ? GROUP BY ALL",
                rank,
                owner_rank,
            )
        )

    def per_person(self, rank: int, owner_rank: int) -> dict[int, int]:
        """Number of values of a type → number of owners who have so many; junk does not count."""
        return dict(
            self._rows(
                "SELECT n, count(*) FROM (SELECT strong, count(*) AS n FROM audit_pair "
                "WHERE weak_rank = ? AND strong_rank = ? AND weak NOT IN (FROM audit_junk) GROUP BY strong) "
                "GROUP BY ALL",
                rank,
                owner_rank,
            )
        )

    def hands(self, rank: int, owner_rank: int) -> tuple[int, int]:
        """Of the values with several owners: how many changed hands, and how many were shared at one time.

        A value changed hands if each owner was seen with it a week or more after the one before.
        The table ``audit_hands`` (weak, moved) has them one by one.
        """
        self._lake.execute(f"CREATE OR REPLACE TABLE audit_hands AS {_HANDS}", [rank, owner_rank])
        query = "SELECT count(*) FILTER (moved), count(*) FILTER (NOT moved) FROM audit_hands"
        moved, shared = self._rows(query)[0]
        return int(moved), int(shared)

    def mark_junk(self, rank: int, owner_rank: int, threshold: int) -> None:
        """Leave values with so many owners out of what is counted later."""
        self._lake.execute(
            "INSERT INTO audit_junk SELECT id FROM audit_owned "
            "WHERE rank = ? AND owner_rank = ? AND owners >= ?",
            [rank, owner_rank, threshold],
        )

    def choose(self, condition: str, parameters: Sequence[Any] = ()) -> int:
        """Choose identifiers by a query for ``id`` and ``count``; how many there are."""
        self._lake.execute(f"CREATE OR REPLACE TABLE audit_chosen AS {condition}", list(parameters))
        return self._number("SELECT count(*) FROM audit_chosen")

    def people(self) -> int:
        """How many profiles have a chosen identifier, or one that was seen with it."""
        return self._number(
            """
            SELECT count(DISTINCT profile) FROM audit_person WHERE id IN (
              SELECT other.id FROM audit_carried AS mine JOIN audit_carried AS other USING (signature)
              WHERE mine.id IN (SELECT id FROM audit_chosen)
              UNION SELECT id FROM audit_chosen)
            """
        )

    def examples(self, most: int) -> list[Example]:
        """The chosen identifiers that count most, with when they were seen first and last."""
        rows = self._rows(
            """
            WITH top AS (SELECT id, count, value FROM audit_chosen JOIN audit_identifier USING (id)
              ORDER BY count DESC, value LIMIT ?)
            SELECT value, count, min(first_time), max(last_time) FROM top
            LEFT JOIN audit_carried USING (id) LEFT JOIN audit_when USING (signature)
            GROUP BY ALL ORDER BY count DESC, value
            """,
            most,
        )
        return [Example(*row) for row in rows]

    def looks(self, rank: int) -> Mapping[str, int]:
        """What the values of a type look like → how many do, without those that are blocked."""
        return dict(
            self._rows(
                "SELECT look, count(*) FROM audit_identifier WHERE rank = ? AND NOT blocked GROUP BY ALL",
                rank,
            )
        )

    def domains(self) -> dict[str, int]:
        """Domain → number of addresses that are not blocked."""
        return dict(
            self._rows(
                "SELECT domain, count(*) FROM audit_identifier WHERE domain IS NOT NULL AND NOT blocked "
                "GROUP BY ALL ORDER BY ALL"
            )
        )

    def both_addresses(self, rank: int) -> int:
        """How many addresses with a domain of ``audit_slip`` are of a profile that has the one meant, too."""
        return self._number(
            """
            SELECT count(DISTINCT wrong.id)
            FROM audit_identifier AS wrong JOIN audit_slip USING (domain)
            JOIN audit_identifier AS other ON other.value
              = concat(left(wrong.value, length(wrong.value) - length(wrong.domain)), meant)
            JOIN audit_person AS mine ON mine.id = wrong.id
            JOIN audit_person AS hers ON hers.id = other.id AND hers.profile = mine.profile
            WHERE wrong.rank = ? AND other.rank = wrong.rank
            """,
            rank,
        )

    def table(self, name: str, columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> None:
        """Make a table of a few rows, to join with in ``choose``."""
        declared = ", ".join(f"{column} {kinds[column]}" for column in columns)
        self._lake.execute(f"CREATE OR REPLACE TABLE {name} ({declared})")
        rows = list(zip(*columns.values(), strict=True))
        if rows:
            marks = ", ".join("?" for _ in columns)
            self._lake.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


_APART = 7 * DAY
"""Between the last sighting with one owner and the first with the next one, where a value changed hands."""

_HANDS = f"""
SELECT weak, bool_and(before IS NULL OR first_time >= before + {_APART}) AS moved FROM (
  SELECT weak, first_time, max(last_time) OVER (
    PARTITION BY weak ORDER BY first_time, strong ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM audit_pair JOIN audit_owned ON id = weak AND owner_rank = strong_rank
  WHERE weak_rank = ? AND strong_rank = ? AND owners > 1 AND weak NOT IN (FROM audit_junk))
GROUP BY weak
"""
