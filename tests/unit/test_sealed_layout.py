"""How sealed files lie on the disk: what a rule about one event of many reads, what is known of a file."""

import json
import random
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from cauce.eventlog.bulk import Wanted, log_parts
from cauce.eventlog.compact import compact
from cauce.eventlog.plan import BySource, Plan, covers
from cauce.eventlog.promoted import Column
from cauce.eventlog.seal import seal
from cauce.eventlog.sealed_file import META
from cauce.eventlog.sqlite import SqliteLog
from cauce.eventlog.statistics import FileStatistics
from cauce.segment.bulk_fields import Events, property_columns
from cauce.segment.bulk_odd import odd_functions
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Normalization
from cauce.vocabulary.moment import Moment

NAMES = [f"Kind {n:02}" for n in range(40)]
PATH = ("properties", "total")
FEW_BYTES = 0.05


def events(count: int) -> list[Accepted]:
    """Events of forty names, with a number that is a text in one of twenty."""
    chance = random.Random(4)
    made = []
    for number in range(count):
        total = f'"{chance.randrange(900)}"' if chance.random() < 0.05 else chance.randrange(90_000) / 100
        filler = f"{chance.getrandbits(400):x}"
        body = f'{{"userId":"u{number % 99}","properties":{{"total":{total},"note":"{filler}","n":null}}}}'
        made.append(
            Accepted(
                message_id=f"m{number}",
                time=Moment(number),
                call=Call.TRACK,
                name=NAMES[number % 40],
                source="web",
                body=body.encode(),
            )
        )
    return made


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space")
    log = SqliteLog(folder)
    log.append(events(60_000), [], now=Moment(5))
    seal(folder, Position(60_000), lambda _: DEFAULT_NORMALIZATION)
    log.close()
    return folder


@pytest.mark.parametrize("promoted", [False, True])
def test_a_rule_about_one_event_of_forty_reads_a_twentieth_of_the_bytes(space: Path, promoted: bool) -> None:
    plan = Plan(BySource({}), frozenset([PATH] if promoted else []))
    compact(space, plan)
    log = SqliteLog(space)
    with duckdb.connect() as lake, odd_functions(lake), log.snapshot(log.head()) as found:
        path = PATH if promoted else ("properties", "note")
        parts = log_parts(lake, found, plan.how, Wanted(frozenset(["Kind 07"]), frozenset([path])))
        if not promoted:
            parts = [part._replace(typed={}) for part in parts]
        views = [
            Events(
                f"(SELECT 1 AS profile, * FROM {part.sql} WHERE {part.where(['Kind 07'])})",
                {path_[1:]: columns for path_, columns in part.typed.items()},
            )
            for part in parts
        ]
        query = property_columns(views, {path[1:]: "p"}, "name = 'Kind 07'")
        lake.execute("PRAGMA enable_profiling = 'no_output'")
        count = lake.execute(f"SELECT count(p_number), count(p) FROM ({query})").fetchall()
        read = json.loads(lake.get_profiling_information(format="json"))["io"]["total_bytes_read"]
        ((numbers, values),) = count
        assert values == 1_500
        assert 1_000 < numbers < values if promoted else numbers == 0
        assert 0 < read <= FEW_BYTES * sum(one.range.size for one in found.files)
    log.close()


def test_a_row_group_holds_one_name(space: Path) -> None:
    (path,) = (space / "log").glob("*.parquet")
    with pq.ParquetFile(path) as file:
        column = file.schema_arrow.names.index("name")
        groups = [file.metadata.row_group(n).column(column) for n in range(file.num_row_groups)]
        assert [(g.statistics.min, g.statistics.max) for g in groups] == [(one, one) for one in NAMES]
        told = FileStatistics.decode(file.metadata.metadata[META])
    assert told.names.keys() == set(NAMES)


def test_names_with_few_events_share_row_groups(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    log.append(events(4_000), [], now=Moment(5))
    seal(tmp_path, log.head(), lambda _: DEFAULT_NORMALIZATION)
    assert next(iter(log.statistics().values())).names["Kind 03"].events == 100
    (path,) = (tmp_path / "log").glob("*.parquet")
    assert pq.read_metadata(path).num_row_groups == 1
    log.close()


def test_what_is_known_of_a_file(space: Path) -> None:
    log = SqliteLog(space)
    (known,) = log.statistics().values()
    assert (known.events, known.position, known.received) == (60_000, (1, 60_000), (5, 5))
    assert known.time == (0, 59_999)
    assert known.names["Kind 07"].events == 1_500
    assert known.names["Kind 07"].time == (7, 59_967)
    assert known.kinds["properties.note"] == {"text": 60_000}
    numbers, texts = (known.kinds["properties.total"][kind] for kind in ("number", "text"))
    assert (numbers + texts, 0 < texts < 6_000) == (60_000, True)
    assert "properties.n" not in known.kinds
    assert covers(known, ("properties", "nowhere"))
    assert known.paths[PATH] == (Column.NUMBER, Column.TEXT)
    assert known.body_bytes == sum(len(one.body) for one in events(60_000))
    log.close()


def test_files_made_with_another_normalization_are_made_anew(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    log.append(
        [
            Accepted(
                message_id=source,
                time=Moment(0),
                call=Call.TRACK,
                name="A",
                source=source,
                body=b'{"userId":"ANN"}',
            )
            for source in ("web", "crm")
        ],
        [],
        now=Moment(0),
    )
    seal(tmp_path, log.head(), lambda _: DEFAULT_NORMALIZATION)
    lower = Plan(BySource({"crm": Normalization({"user_id": "lower"})}))
    (known,) = log.statistics().values()
    assert lower.stale(known)
    assert not Plan(BySource({})).stale(known)
    assert compact(tmp_path, Plan(BySource({}))) == []
    (made,) = compact(tmp_path, lower)
    assert made.file == f"{1:016}-{2:016}.2.parquet"
    rows = pq.read_table(tmp_path / "log" / made.file, partitioning=None).to_pylist()
    assert [row["identifiers"] for row in rows] == [["user_id:ANN"], ["user_id:ann"]]
    assert [path.name for path in (tmp_path / "log").glob("*.parquet")] == [made.file]
    assert compact(tmp_path, lower) == []
    log.close()
