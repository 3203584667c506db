"""The import of files into a real log: counts, events, quarantine, and doing it twice."""

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cauce.collect.files import ImportResult, Progress, import_file, read_mapping
from cauce.collect.files.events import MAX_EVENT
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.event import Logged, Position
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.moment import Moment, parse_iso
from cauce.vocabulary.yaml_lines import parse_yaml

NOW = parse_iso("2024-06-01T12:00:00Z") or Moment(0)

ORDERS = """
owner: a
source: shop
group_by: no
columns: {n: integer, price: number}
call: track
event: Bought
time: at
user_id: customer
anonymous_id: {text: "order:{no}", unless: customer}
properties:
  no: no
  total: {sum: n, times: price}
  lines: {count: lines}
  products: {items: {sku: sku, n: n}}
"""
HEAD = "no,sku,n,price,customer,at\n"

PEOPLE = """
owner: a
source: crm
call: identify
time: at
user_id: id
traits: {email: email}
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    space = tmp_path / "space"
    space.mkdir()
    log = SqliteLog(space)
    yield log
    log.close()


def run(log: SqliteLog, folder: Path, mapping: str, content: str | bytes, **options: Any) -> ImportResult:
    path = folder / options.pop("file", "f.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_file(path, read_mapping(parse_yaml(mapping, "m.yaml")), log, clock=lambda: NOW, **options)


def events(log: SqliteLog) -> list[Logged]:
    return log.read(Position(0), 1_000)


def bodies(log: SqliteLog) -> list[dict[str, Any]]:
    found = [decode_json(row.body) for row in events(log)]
    return [body for body in found if isinstance(body, dict)]


def counts(result: ImportResult) -> tuple[int, int, int, int, int]:
    assert result.read == result.accepted + result.duplicate + result.quarantined
    assert sum(result.reasons.values()) == result.quarantined
    return result.read, result.accepted, result.duplicate, result.quarantined, result.events


def reasons(log: SqliteLog) -> list[tuple[str, str]]:
    return [(entry.reason, entry.detail) for entry in log.quarantined()]


def test_lines_of_a_group_become_one_event(log: SqliteLog, tmp_path: Path) -> None:
    text = (
        HEAD
        + "1,a,2,0.10,ann,2024-05-02T00:00:00Z\n"
        + "2,c,5,1.005,,2024-05-01T00:00:00Z\n"
        + "1,b,1,0.2,ann,2024-05-01T12:00:00Z\n"
        + "1,a,2,0.10,ann,2024-05-02T00:00:00Z\n"
    )
    assert counts(run(log, tmp_path, ORDERS, text)) == (4, 3, 1, 0, 2)
    second, first = bodies(log)
    assert (second["anonymousId"], "userId" in second) == ("order:2", False)
    assert (first["userId"], "anonymousId" in first) == ("ann", False)
    assert first["timestamp"] == "2024-05-01T12:00:00.000Z"
    assert str(first["properties"]["total"]) == "0.40"
    assert first["properties"]["lines"] == 2
    assert first["properties"]["products"] == [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}]
    row = events(log)[1]
    assert (row.name, row.call, row.source, row.time) == (
        "Bought",
        "track",
        "shop",
        parse_iso("2024-05-01T12:00:00Z"),
    )
    assert row.message_id == first["messageId"]


def test_repeated_lines_can_be_kept(log: SqliteLog, tmp_path: Path) -> None:
    line = "1,a,2,0.10,ann,2024-05-02T00:00:00Z\n"
    assert counts(run(log, tmp_path, ORDERS + "repeated_lines: keep\n", HEAD + line * 3)) == (3, 3, 0, 0, 1)
    assert str(bodies(log)[0]["properties"]["total"]) == "0.60"


def test_the_same_file_twice_adds_nothing(log: SqliteLog, tmp_path: Path) -> None:
    text = HEAD + "1,a,2,1,ann,2024-05-02T00:00:00Z\n1,b\n2,a,x,1,ann,2024-05-02T00:00:00Z\n"
    assert counts(run(log, tmp_path, ORDERS, text)) == (3, 1, 0, 2, 1)
    assert counts(run(log, tmp_path, ORDERS, text)) == (3, 0, 1, 2, 0)
    assert len(events(log)) == 1
    assert reasons(log) == [
        ("too_few_fields", "f.csv, line 3: The line has 2 fields instead of 6."),
        ("wrong_type", "f.csv, line 4: n does not hold a whole number."),
    ]


def test_the_same_line_in_another_file_of_the_source_is_a_duplicate(log: SqliteLog, tmp_path: Path) -> None:
    head, ann = "id,email,at\n", "1,ann@example.org,2024-05-01\n"
    assert counts(run(log, tmp_path, PEOPLE, head + ann)) == (1, 1, 0, 0, 1)
    text = head + "2,bob@example.org,2024-05-01\n" + ann + ann
    assert counts(run(log, tmp_path, PEOPLE, text, file="g.csv")) == (3, 1, 2, 0, 1)
    assert counts(run(log, tmp_path, PEOPLE, head + ann, source="crm2")) == (1, 1, 0, 0, 1)
    assert [row.source for row in events(log)] == ["crm", "crm", "crm2"]


def test_lines_that_differ_in_a_column_nobody_maps_are_two_events(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at,row\n1,a@example.org,2024-05-01,1\n1,a@example.org,2024-05-01,2\n"
    assert counts(run(log, tmp_path, PEOPLE, text)) == (2, 2, 0, 0, 2)


def test_equal_lines_can_be_events_of_their_own(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at\n" + "1,ann@example.org,2024-05-01\n" * 3
    for expected in ((3, 3, 0, 0, 3), (3, 0, 3, 0, 0)):
        assert counts(run(log, tmp_path, PEOPLE + "repeated_lines: keep\n", text)) == expected


def test_unique_by_tells_events_apart(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at\n1,a@example.org,2024-05-01\n1,b@example.org,2024-05-01\n2,c@example.org,2024-05-01\n"
    result = run(log, tmp_path, PEOPLE + "unique_by: [id]\n", text)
    assert counts(result) == (3, 2, 0, 1, 2)
    assert result.reasons == {"conflicting_repeat": 1}


def test_a_mapped_message_id_stands(log: SqliteLog, tmp_path: Path) -> None:
    mapping = PEOPLE + 'message_id: {text: "crm-{id}"}\n'
    text = "id,email,at\n1,a@example.org,2024-05-01\n" + "9" * 100 + ",b@example.org,2024-05-01\n"
    result = run(log, tmp_path, mapping, text)
    assert result.reasons == {"message_id_too_long": 1}
    assert [row.message_id for row in events(log)] == ["crm-1"]


def test_the_first_event_that_takes_a_line_makes_it(log: SqliteLog, tmp_path: Path) -> None:
    mapping = (
        ORDERS
        + """
events:
- {event: Returned, when: {n: {below: 0}}}
- {event: Corrected, when: {no: {starts_with: X}}, person: none}
- {when: {sku: [a, b]}}
"""
    )
    text = HEAD + "".join(
        f"{no},{sku},{n},1,ann,2024-05-01\n"
        for no, sku, n in [("1", "a", 1), ("1", "b", -1), ("X1", "z", -1), ("X1", "z", 1), ("2", "z", 1)]
    )
    result = run(log, tmp_path, mapping, text)
    assert counts(result) == (5, 4, 0, 1, 4)
    assert [(row.name, body.get("userId")) for row, body in zip(events(log), bodies(log), strict=True)] == [
        ("Bought", "ann"), ("Returned", "ann"), ("Returned", "ann"), ("Corrected", None),
    ]  # fmt: skip
    assert reasons(log) == [("no_event", "f.csv, line 6: No event of the mapping takes the line.")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",,2024-05-01", "no_user_anon_id"),
        ("1,a@example.org,", "no_time"),
        ("1,a@example.org,2024-05-01T00:00:00", "no_zone"),
        ("x" * 501 + ",a@example.org,2024-05-01", "identifier_too_long"),
    ],
)
def test_a_line_that_makes_no_valid_event(log: SqliteLog, tmp_path: Path, line: str, reason: str) -> None:
    text = f"id,email,at\n{line}\n2,b@example.org,2024-05-01\n"
    assert run(log, tmp_path, PEOPLE, text).reasons == {reason: 1}
    assert [body["userId"] for body in bodies(log)] == ["2"]
    (entry,) = log.quarantined()
    assert (entry.source, entry.body) == ("crm", line.encode())


def test_an_email_is_an_identifier(log: SqliteLog, tmp_path: Path) -> None:
    run(log, tmp_path, PEOPLE, "id,email,at\n,a@example.org,2024-05-01\n")
    (body,) = bodies(log)
    assert body["traits"] == {"email": "a@example.org"}
    assert "userId" not in body


def test_times_are_clamped_as_at_the_door(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at\n1,a@example.org,2099-01-01\n"
    for expected in ((1, 1, 0, 0, 1), (1, 0, 1, 0, 0)):
        assert counts(run(log, tmp_path, PEOPLE, text)) == expected
    assert events(log)[0].time == NOW + 300_000_000
    assert bodies(log)[0]["timestamp"] == "2099-01-01T00:00:00.000Z"


def test_json_values_keep_their_kinds(log: SqliteLog, tmp_path: Path) -> None:
    mapping = """
owner: a
source: app
format: jsonl
call: page
name: title
time: at
anonymous_id: device
properties: {url: page.url, load: ms, tags: tags, big: big, none: nothing}
"""
    text = (
        '{"title":"Home","at":"2024-05-01","device":"d","page":{"url":"/"},"ms":1.50,"tags":["x",{"y":true}],'
        '"big":123456789012345678901234567890,"nothing":null}\n'
        '{"title":"Home","at":"2024-05-01","device":["d"]}\n'
        '{"title":"Home","at":"2024-05-01","device":"d","tags":"a\\u0000b"}\n'
        '{"title":"Home","at":"2024-05-01","device":"d","tags":' + "[" * 63 + "]" * 63 + "}\n"
    )
    result = run(log, tmp_path, mapping, text, file="f.jsonl")
    assert result.reasons == {"wrong_type": 1, "nul_character": 1, "nested_too_deep": 1}
    ((row,), (body,)) = events(log), bodies(log)
    assert (row.name, body["name"]) == ("Page Viewed", "Home")
    assert b'"load":1.50' in row.body
    assert b'"big":123456789012345678901234567890' in row.body
    assert body["properties"]["tags"] == ["x", {"y": True}]
    assert "none" not in body["properties"]


def test_an_event_of_too_many_lines_is_refused_line_by_line(log: SqliteLog, tmp_path: Path) -> None:
    long = "x" * (MAX_EVENT // 3)
    lines = [f"1,{long}{number},1,1,ann,2024-05-01\n" for number in range(3)]
    result = run(log, tmp_path, ORDERS, HEAD + "".join(lines) + "2,a,1,1,ann,2024-05-01\n")
    assert counts(result) == (4, 1, 0, 3, 1)
    assert result.reasons == {"event_too_large": 3}


def test_groups_of_json_lines(log: SqliteLog, tmp_path: Path) -> None:
    mapping = (
        "owner: a\nsource: s\nformat: jsonl\ncall: group\ngroup_by: [g]\ngroup_id: g\nuser_id: u\ntime: at\n"
    )
    text = "".join(f'{{"g":{g},"u":"u","at":"2024-05-01"}}\n' for g in ('"x"', '["y"]', '"x"', "5"))
    result = run(log, tmp_path, mapping, text)
    assert result.reasons == {"wrong_type": 1}
    assert sorted(body["groupId"] for body in bodies(log)) == ["5", "x"]
    assert counts(result) == (4, 2, 1, 1, 2)


def test_identifiers_of_further_types(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at,card\n,,2024-05-01,77\n"
    run(log, tmp_path, PEOPLE + "external_ids: {loyalty_card: card}\n", text)
    assert bodies(log)[0]["context"] == {
        "externalIds": [{"id": "77", "type": "loyalty_card", "collection": "users", "encoding": "none"}]
    }


def test_a_truncated_file_is_imported_as_far_as_it_can_be_read(log: SqliteLog, tmp_path: Path) -> None:
    lines = "".join(f"{n},u{n}@example.org,2024-05-01\n" for n in range(20_000))
    whole = gzip.compress(("id,email,at\n" + lines).encode())
    result = run(log, tmp_path, PEOPLE, whole[: len(whole) * 2 // 3], file="f.csv.gz")
    assert "truncated" in result.problem
    assert result.accepted > 10_000
    assert result.quarantined <= 1
    last = log.quarantined()[-1]
    assert (last.reason, last.detail) == ("truncated_file", result.problem)
    again = run(log, tmp_path, PEOPLE, whole, file="f.csv.gz")
    assert (again.problem, again.read, again.accepted + result.accepted) == ("", 20_000, 20_000)


def test_the_cut_line_of_a_truncated_file_is_no_event_though_it_has_all_columns(
    log: SqliteLog, tmp_path: Path
) -> None:
    deflater = zlib.compressobj(wbits=31)
    text = b"id,at,email\n1,2024-05-01,a@example.org\n2,2024-05-01,b@exam"
    cut = deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)
    result = run(log, tmp_path, PEOPLE, cut, file="f.csv.gz")
    assert counts(result) == (2, 1, 0, 1, 1)
    assert result.reasons == {"truncated_file": 1}


def test_a_group_in_which_a_truncated_file_ends_is_no_event(log: SqliteLog, tmp_path: Path) -> None:
    text = HEAD + "".join(f"{n // 7},{n},1,1,ann,2024-05-01\n" for n in range(9_000))
    whole = gzip.compress(text.encode())
    part = run(log, tmp_path, ORDERS, whole[: len(whole) // 2], file="f.csv.gz")
    assert 0 < part.quarantined <= 7
    again = run(log, tmp_path, ORDERS, whole, file="f.csv.gz")
    assert part.events + again.events == -(-9_000 // 7)
    assert again.reasons == {}


@pytest.mark.parametrize("content", ["", HEAD])
@pytest.mark.parametrize("mapping", [ORDERS, ORDERS.replace("group_by: no\n", "")])
def test_a_file_without_lines(log: SqliteLog, tmp_path: Path, content: str, mapping: str) -> None:
    assert counts(run(log, tmp_path, mapping, content)) == (0, 0, 0, 0, 0)


def test_files_that_cannot_be_read(log: SqliteLog, tmp_path: Path) -> None:
    mapping = read_mapping(parse_yaml(PEOPLE, "m.yaml"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "missing.csv", tmp_path, pipe):
        with pytest.raises(InvalidInput, match="is no file"):
            import_file(path, mapping, log, clock=lambda: NOW)
    with pytest.raises(InvalidInput, match="has no column id, at"):
        run(log, tmp_path, PEOPLE, "email\n")


def test_a_dry_run_counts_and_leaves_the_log_alone(log: SqliteLog, tmp_path: Path) -> None:
    text = "id,email,at\n" + "1,a@example.org,2024-05-01\n" * 2 + "2\n"
    assert counts(run(log, tmp_path, PEOPLE, text, dry_run=True)) == (3, 1, 1, 1, 1)
    assert (log.head(), log.quarantined()) == (0, [])


def test_progress_is_told_in_both_readings(log: SqliteLog, tmp_path: Path) -> None:
    told: list[Progress] = []
    text = HEAD + "".join(f"{n},a,1,1,ann,2024-05-01\n" for n in range(10_500))
    run(log, tmp_path, ORDERS, text, progress=told.append)
    assert [(item.step, item.lines) for item in told] == [
        ("grouping", 10_000), ("grouping", 10_500), ("importing", 10_000), ("importing", 10_500),
    ]  # fmt: skip
    assert told[-1].done == told[-1].total == len(text)
