"""The sealed folder of a space at work, opened by DuckDB, pandas and Spark: they count what Cauce counts."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pytest

from cauce.app.compose import Composition
from tests.story.command import succeed
from tests.story.serving import Served, send, served, until

NAME = "Página vista"
LEAST = 50
COLUMN = "properties.total:number"
SEALED = 3_000
BATCH = 200
TRIES = 10
MISSING = re.compile("does not exist|No such file|NOT_EXIST|FileNotFound|No files found", re.IGNORECASE)

Counts = tuple[int, int, int]
"""All events, those named ``NAME``, and those of them with a number of at least ``LEAST``."""


def test_other_engines_count_what_cauce_counts(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        assert not os.environ.get("CI"), "tests/prepare.sh installs Java"
        pytest.skip("there is no Java runtime, which Spark needs")
    space = tmp_path / "space"
    key = succeed("init", space, "--json").json["write_key"]
    variables = {"CAUCE_WORKER__SEAL_EVENTS": "1000", "CAUCE_WORKER__HOT_EVENTS": "100"}
    with served(space, **variables) as running:
        log = Composition(space).log
        with sending(running, key) as calm:
            until(lambda: log.sealed_upto() > SEALED, "the worker to seal")
            calm.set()
            upto = int(log.sealed_upto())
            folder = space / "log"
            expected = told(space, upto)
            assert upto == expected[0] > expected[1] > expected[2] > 0
            for engine in (by_duckdb, by_pandas, by_spark):
                assert again(lambda engine=engine: engine(folder, upto)) == expected, engine.__name__
            assert log.head() > upto  # it was alive meanwhile
        log.close()


@pytest.fixture(autouse=True)
def no_spark_left() -> Iterator[None]:
    """Stop what a test started."""
    yield
    from pyspark.sql import SparkSession  # noqa: PLC0415

    if session := SparkSession.getActiveSession():
        session.stop()


@contextmanager
def sending(running: Served, key: str) -> Iterator[threading.Event]:
    """Send events on a thread until the block ends; few at a time once the event that it gives is set."""
    stop, calm = threading.Event(), threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            size = 1 if calm.is_set() else BATCH
            batch = map(event, range(number, number + size))
            assert send(running.collector, key, *batch).status_code == 200
            number += size

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield calm
    finally:
        stop.set()
        thread.join()


def again(ask: Callable[[], Counts]) -> Counts:
    """Ask again if compaction replaced a file between listing the folder and reading it."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except Exception as error:  # each engine has its own
            assert MISSING.search(str(error)), error
    return ask()


def event(number: int) -> dict[str, Any]:
    """One in three has the name, one in twenty a text where others have a number."""
    total: Any = str(number) if number % 20 == 0 else number % 100 + 0.5
    name = NAME if number % 3 == 0 else f"Other {number % 7}"
    return {
        "type": "track",
        "event": name,
        "userId": f"u-{number % 50}",
        "properties": {"total": total, "tags": ["a", number]},
    }


def told(space: Path, upto: int) -> Counts:
    """As the command line says, event by event."""
    rows = succeed("log", "show", "--space", space, "--json", "--limit", upto).json_lines
    assert rows[-1]["position"] == upto
    named = [row["body"]["properties"]["total"] for row in rows if row["name"] == NAME]
    return len(rows), len(named), sum(not isinstance(total, str) and total >= LEAST for total in named)


def by_duckdb(folder: Path, upto: int) -> Counts:
    found = duckdb.execute(
        f"""
        SELECT count(*), count(*) FILTER (name = $name),
               count(*) FILTER (name = $name AND "{COLUMN}" >= $least)
        FROM read_parquet('{folder}/*.parquet', union_by_name = true) WHERE position <= $upto
        """,
        {"name": NAME, "least": LEAST, "upto": upto},
    ).fetchall()
    return found[0]


def by_pandas(folder: Path, upto: int) -> Counts:
    rows = pandas.read_parquet(folder)
    rows = rows[rows["position"] <= upto]
    named = rows[rows["name"] == NAME]
    return len(rows), len(named), sum(one is not None and one >= Decimal(LEAST) for one in named[COLUMN])


def by_spark(folder: Path, upto: int) -> Counts:
    from pyspark.sql import SparkSession  # noqa: PLC0415  slow to import, and needs Java

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    rows = spark.read.option("mergeSchema", "true").parquet(str(folder))
    rows = rows.where(rows["position"] <= upto)
    named = rows.where(rows["name"] == NAME)
    return rows.count(), named.count(), named.where(rows[f"`{COLUMN}`"] >= LEAST).count()
