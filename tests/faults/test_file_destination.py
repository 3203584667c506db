"""Files at set times: what they hold, and that a stop or a fault at any point loses and doubles nothing."""

import csv
import json
import os
from decimal import Decimal
from hashlib import sha256
from io import StringIO

import msgspec
import pyarrow.parquet as pq
import pytest

from cauce.activate.chores import Stopped
from cauce.activate.delivery import Outcome, State
from cauce.activate.destinations import FileTarget, ready
from cauce.activate.file_run import FileRun
from cauce.activate.payload import Shape
from cauce.activate.runs import read_run
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.definitions import FileDef
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.moment import HOUR, Moment, parse_iso
from tests.faults.destination_people import People
from tests.faults.webhook_space import Space, change

START = parse_iso("2026-03-01T12:20:00Z")
SETTINGS = ActivateSettings(file_rows=5)


def opened(file):
    return StringIO(file.read_bytes().decode(), newline="")


def file_def(**given):
    return msgspec.convert({"kind": "file", **given}, FileDef)


class Exports:
    """A file destination ``drop`` of segment ``buyers``, and a clock that stands still."""

    def __init__(self, folder, **given):
        known = {"name": "drop", "owner": "o", "folder": "exports/drop", "schedule": "hourly"}
        self.definition = file_def(**(known | given))
        self.root = folder
        self.space = Space(folder, ["drop"])
        self.space.activation = Activation({"buyers": ["drop"]}, {"drop": Shape.of(self.definition)})
        self.people = People()
        self.now = START
        self.number = 0

    def changes(self, *people, entered=True):
        for person in people:
            self.number += 1
            self.space.queue(change(self.number, person=person, entered=entered))

    def run(self):
        target = next(iter(ready([self.definition], environment={}, folder=self.root)))
        return FileRun(self.space.records, target, ["buyers"], self.people, lambda: self.now, SETTINGS)

    def pass_hours(self, hours=1, check=lambda: None):
        self.now = Moment(self.now + hours * HOUR)
        run = self.run()
        if run.due(self.now):
            run.do(check)

    def files(self, suffix="csv"):
        return sorted((self.root / "exports/drop").glob(f"drop-*.{suffix}"))

    def rows(self):
        return [row for file in self.files() for row in csv.DictReader(opened(file))]


@pytest.fixture
def make(tmp_path):
    made = []

    def exports(**given):
        made.append(Exports(tmp_path, **given))
        assert not made[-1].run().due(START)  # a new destination waits for its first moment
        return made[-1]

    yield exports
    for one in made:
        one.space.records.close()


def test_changes_come_once_each_in_order_with_a_receipt_and_a_manifest(make):
    exports = make()
    exports.changes("ann", "bob")
    exports.changes("ann", entered=False)
    exports.pass_hours(0)
    assert exports.files() == [] and exports.space.states() == {State.QUEUED}
    exports.pass_hours()
    (file,) = exports.files()
    assert file.name == "drop-20260301T130000Z-000001.csv"
    assert file.read_bytes().startswith(
        b"profile_id,segment,change,at,user_id,email\r\nann,buyers,entered,2023-"
    )
    assert [(row["profile_id"], row["change"]) for row in exports.rows()] == [
        ("ann", "entered"),
        ("bob", "entered"),
        ("ann", "left"),
    ]
    manifest = json.loads(file.with_name(f"{file.name}.manifest.json").read_text())
    assert manifest["rows"] == 3 and manifest["due"] == "2026-03-01T13:00:00.000Z"
    assert manifest["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert manifest["bytes"] == file.stat().st_size
    assert exports.space.states() == {State.DELIVERED}
    assert {(one.outcome, one.status, one.attempt) for one in exports.space.receipts()} == {
        (Outcome.DELIVERED, 1, 1)
    }
    assert exports.space.deliveries.attempts() == {("drop", "delivered"): 3}
    exports.changes("cat")
    exports.pass_hours()
    assert len(exports.files()) == 2 and len(exports.rows()) == 4
    assert not list((exports.root / "exports/drop").glob(".*"))


def test_downtime_is_caught_up_once_and_nothing_new_writes_nothing(make):
    exports = make()
    exports.changes("ann")
    exports.pass_hours(100)
    assert [file.name for file in exports.files()] == ["drop-20260305T160000Z-000001.csv"]
    exports.pass_hours(5)
    assert len(exports.files()) == 1
    exports.changes("bob")
    exports.pass_hours()
    assert exports.files()[-1].name.endswith("-000002.csv")


def test_an_empty_file_is_written_where_it_is_asked_for(make):
    exports = make(write_empty=True, bom=True)
    exports.pass_hours()
    (file,) = exports.files()
    assert file.read_bytes() == "\ufeffprofile_id,segment,change,at,user_id,email\r\n".encode()


def test_more_changes_than_one_file_holds_fill_several(make):
    exports = make()
    exports.changes(*[f"p{number}" for number in range(12)])
    exports.pass_hours()
    assert [len(list(csv.reader(opened(file)))) - 1 for file in exports.files()] == [5, 5, 2]
    assert len({row["profile_id"] for row in exports.rows()}) == 12


@pytest.mark.parametrize("mode", ["changes", "full"])
def test_a_stop_at_any_point_loses_and_doubles_no_change(make, mode, monkeypatch):
    """Every transaction, rename and fsync is made the last one once; then everything is made anew."""
    exports = make(mode=mode)
    for number in range(1, 5):
        exports.people.put(number, START)
    write, replace = exports.space.records.write, os.replace
    left = [0]

    def count():
        left[0] -= 1
        if left[0] == 0:
            raise Stopped

    def counted_write():
        count()
        return write()

    monkeypatch.setattr(type(exports.space.records), "write", lambda self: counted_write())
    monkeypatch.setattr("pathlib.Path.replace", lambda path, to: (count(), replace(path, to)))
    told, stops = 0, 1
    while True:
        left[0] = 0
        exports.changes(*[f"q{told + number}" for number in range(7)])
        told += 7
        left[0] = stops
        try:
            exports.pass_hours()
            break
        except Stopped:
            left[0] = 0
            exports.pass_hours(0)
        assert exports.space.states() == {State.DELIVERED}
        stops += 1
    assert stops > 8
    if mode == "changes":
        seen = [row["profile_id"] for row in exports.rows()]
        assert len(seen) == told and len(set(seen)) == told
    else:
        for file in exports.files():
            assert [row["profile_id"] for row in csv.DictReader(opened(file))] == ["p1", "p2", "p3", "p4"]
    assert {one.attempt for one in exports.space.receipts()} == {1}
    numbers = [int(file.stem.rpartition("-")[2]) for file in exports.files()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_full_file_holds_who_is_in_and_settles_what_it_covers(make):
    exports = make(mode="full", fields=("profile_id", "since", "trait.plan"), keep=2)
    exports.people.put(1, START, plan="gold")
    exports.people.put(2, START, plan=["=a"])
    exports.changes("p1")
    for _ in range(3):
        exports.pass_hours()
    first, second = exports.files()
    assert (first.name[-10:], second.name[-10:]) == ("000002.csv", "000003.csv")
    assert list(csv.reader(opened(first)))[1:] == [
        ["p1", "2026-03-01T12:20:00.000Z", "gold"],
        ["p2", "2026-03-01T12:20:00.000Z", '["=a"]'],
    ]
    assert exports.people.purposes == {"marketing"}
    assert len(list((exports.root / "exports/drop").glob("*.manifest.json"))) == 2
    assert exports.space.states() == {State.DELIVERED}


def test_json_lines_and_parquet_keep_values_and_types(make):
    fields = (
        "profile_id",
        "identifiers.email",
        "trait.plan",
        {"value": "trait.spent", "name": "total", "type": "number"},
        {"value": "trait.gone", "type": "time"},
    )
    exports = make(format="jsonl", mode="full", fields=fields)
    exports.people.put(1, START, plan="=1", spent=Decimal("0.1"), gone="2026-03-01T00:00:00Z")
    exports.people.put(2, START, plan={"a": 1}, spent="0.1", gone="never")
    exports.pass_hours()
    (file,) = exports.files("jsonl")
    one, two = map(json.loads, file.read_text().splitlines())
    assert one == {
        "profile_id": "p1",
        "email": ["1@example.org"],
        "plan": "=1",
        "total": 0.1,
        "gone": "2026-03-01T00:00:00Z",
    }
    assert (two["plan"], two["total"], two["gone"]) == ({"a": 1}, None, None)
    exports.definition = file_def(
        name="drop",
        owner="o",
        folder="exports/drop",
        schedule="hourly",
        format="parquet",
        mode="full",
        fields=fields,
    )
    exports.pass_hours()
    (file,) = exports.files("parquet")
    table = pq.read_table(file)
    assert [str(one) for one in table.schema.types] == [
        "string",
        "string",
        "string",
        "decimal128(38, 9)",
        "timestamp[us, tz=UTC]",
    ]
    assert table.column("total").to_pylist() == [Decimal("0.100000000"), None]
    assert table.column("plan").to_pylist() == ["=1", '{"a":1}']


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(make):
    exports = make()
    exports.changes("ann")
    (exports.root / "exports").write_text("in the way")
    with pytest.raises(OSError):
        exports.pass_hours()
    with exports.space.records.read() as reader:
        assert (
            "FileExistsError" in read_run(reader, "drop").error
            or "NotADirectory" in read_run(reader, "drop").error
        )
    (exports.root / "exports").unlink()
    exports.pass_hours(0)
    assert len(exports.rows()) == 1
    with exports.space.records.read() as reader:
        assert read_run(reader, "drop").error == ""


@pytest.mark.parametrize(
    "folder", ["..", "../elsewhere", "/tmp", ".", "log", "log/x", "definitions", "a/../secrets"]
)
def test_files_go_nowhere_else(tmp_path, folder):
    definition = file_def(name="drop", owner="o", folder=folder, schedule="hourly")
    with pytest.raises(BadSettings, match="may not put files"):
        ready([definition], environment={}, folder=tmp_path / "space")


def test_a_link_that_leads_out_is_not_followed_and_an_allowed_folder_is(make, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    exports = make()
    exports.changes("ann")
    (exports.root / "exports").mkdir()
    target = next(iter(ready([exports.definition], environment={}, folder=exports.root)))
    (exports.root / "exports/drop").symlink_to(outside)
    run = FileRun(exports.space.records, target, [], None, lambda: exports.now, SETTINGS)
    exports.now = Moment(exports.now + HOUR)
    with pytest.raises(BadSettings):
        run.do(lambda: None)
    assert list(outside.iterdir()) == []
    definition = file_def(name="drop", owner="o", folder=str(outside), schedule="hourly")
    found = ready([definition], environment={}, folder=exports.root, folders=[str(outside)])
    assert isinstance(found[0], FileTarget)
