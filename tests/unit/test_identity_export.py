"""Identity as tables in files: history and present agree with the people in force, in every format."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cauce.app.compose import Composition
from cauce.app.identity_export import TABLES, Format, export_identity
from cauce.app.plan.identity import swap_if_needed
from cauce.identity.rules import default_rules
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.errors import InvalidInput, NotAllowed
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_space import ANALYST, applied, closed, defined
from tests.unit.test_identity_why import EVENTS, START, made, people

SUPPORT = Purpose("support")
READ = {
    Format.PARQUET: "SELECT * FROM read_parquet('{}')",
    Format.CSV: "SELECT * FROM read_csv('{}', header = true, all_varchar = true)",
    Format.JSONL: "SELECT * FROM read_json('{}', format = 'newline_delimited')",
}
Rows = list[dict[str, Any]]


@pytest.fixture
def composition(tmp_path: Path) -> Iterator[Composition]:
    found = made(tmp_path, EVENTS)
    yield found
    closed(found)


def tables(composition: Composition, folder: Path, how: Format) -> dict[str, Rows]:
    written = export_identity(composition, folder, how, purpose=SUPPORT, viewer=ANALYST)
    assert [one.table for one in written] == list(TABLES)
    assert sorted(path.name for path in folder.iterdir()) == sorted(one.path.name for one in written)
    found = {one.table: rows_of(one.path, how) for one in written}
    assert {one.table: one.rows for one in written} == {name: len(rows) for name, rows in found.items()}
    return found


def rows_of(path: Path, how: Format) -> Rows:
    quoted = str(path).replace("'", "''")
    rows: Rows = duckdb.sql(READ[how].format(quoted)).to_arrow_table().to_pylist()
    return rows


def check(composition: Composition, found: dict[str, Rows]) -> None:
    """What the tables say is what is in force."""
    present = people(composition)
    mapped = {
        f"{row['external_id_type']}:{row['external_id_value']}": row["segment_id"]
        for row in found["external_id_mapping_updates"]
        if row["external_id_type"]
    }
    assert {key: to for key, to in mapped.items() if to} == present
    identifiers = {
        f"{row['type']}:{row['value']}": row["canonical_segment_id"] for row in found["user_identifiers"]
    }
    assert identifiers == present
    stands = {row["segment_id"]: row["canonical_segment_id"] for row in found["id_graph_updates"]}
    merged = {row["segment_id"]: row["canonical_segment_id"] for row in found["profile_merges"]}
    assert merged == {one: other for one, other in stands.items() if other and one != other}
    with composition.state.read() as reader:
        for issued, canonical in stands.items():
            key = composition.identity.resolve_id(reader, issued)
            now = None if key is None else composition.identity.describe(reader, [key])[key].profile_id
            assert now == canonical, issued


@pytest.mark.parametrize("how", list(Format))
def test_the_tables_say_who_is_who(composition: Composition, tmp_path: Path, how: Format) -> None:
    folder = tmp_path / "new" / "tables"
    found = tables(composition, folder, how)
    check(composition, found)
    assert tables(composition, folder, how) == found
    row = next(row for row in found["external_id_mapping_updates"] if row["external_id_value"] == "bob")
    assert (row["triggering_event_id"], row["triggering_event_type"]) == ("m4", "identify")
    assert row["triggering_event_source_id"] == "crm"


def test_a_split_stands_for_itself_again(composition: Composition, tmp_path: Path) -> None:
    rules = default_rules()
    rules["identifiers"][0]["limit"] = 3
    at = Moment(START + 101 * DAY)
    for number, some in enumerate((rules, default_rules())):
        composition = applied(composition, defined(some), at)
        assert swap_if_needed(composition) is not None
        composition = composition.renewed()
        found = tables(composition, tmp_path / str(number), Format.PARQUET)
        check(composition, found)
    ids = [row["segment_id"] for row in found["id_graph_updates"]]
    assert len(ids) > len(set(ids))


def test_rubbish_is_refused(composition: Composition, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "tables"):
        with pytest.raises(InvalidInput):
            export_identity(composition, folder, Format.CSV, purpose=SUPPORT, viewer=ANALYST)
    with pytest.raises(NotAllowed):
        export_identity(composition, tmp_path / "x", Format.CSV, purpose=Purpose("fun"), viewer=ANALYST)
    assert not (tmp_path / "x").exists()


def test_an_empty_space_has_empty_tables(tmp_path: Path) -> None:
    composition = made(tmp_path, [])
    found = tables(composition, tmp_path / "it's here", Format.PARQUET)
    assert set(map(len, found.values())) == {0}
    closed(composition)
