"""A file read in several processes gives what one process gives, whatever is wrong in it."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauce.collect.files import side_by_side
from cauce.collect.files.line_maker import LineMaker
from cauce.collect.files.mapping.reading import read_mapping
from cauce.collect.files.rows import Row, read_rows
from cauce.collect.files.side_by_side import Work, made_side_by_side
from cauce.collect.files.stream import FileBytes
from cauce.collect.settings import CollectSettings
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.yaml_lines import parse_yaml

NOW = Moment(1_767_225_600_000_000)
MAPPING = """
owner: test
source: crm
format: {form}
call: identify
user_id: a
time: {{constant: 2025-01-01T00:00:00Z}}
traits: {{b: b}}
"""


class Later(Future):
    """Is done when somebody asks for its result, like one of a process that is slow."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        super().__init__()
        self._call = lambda: function(*arguments)

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self.set_result(self._call())
        return super().result(timeout)


class Slow:
    """A pool whose processes are always busy."""

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        return Later(function, *arguments)


class Here:
    """Runs what a pool of processes would run."""

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


def compare(file: Path, form: str) -> None:
    mapping = read_mapping(parse_yaml(MAPPING.format(form=form), "m.yaml"))
    work = Work(mapping, "crm", CollectSettings(), NOW)
    maker = LineMaker(*work)
    one = [
        maker.of(row, row.content if isinstance(row, Row) else ())
        for row in read_rows(FileBytes(file), mapping)
    ]
    for pool in (Here(), Slow()):
        batches = made_side_by_side(FileBytes(file), work, pool, 2)  # type: ignore[arg-type]
        assert [made for batch in batches for made in batch] == one


CELL = st.one_of(
    st.text('ab "\n;,é\0', max_size=6),
    st.sampled_from(['"a\nb"', '"x""y"', '"never closed', "", "1"]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=40),
    piece=st.sampled_from([1, 10, 60]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "cp1252"]),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.sampled_from(["a,b", '"a",b', 'a,"b"']),
)
def test_csv(tmp_path: Path, rows: Any, piece: int, encoding: str, end: str, header: str) -> None:
    text = end.join([header, *(f"{a},{b}" for a, b in rows)])
    file = tmp_path / "f.csv"
    file.write_bytes(text.encode(encoding, "replace"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(side_by_side, "PIECE", piece)
        compare(file, "csv")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.sampled_from(['{"a": "1", "b": 2}', "{", "", "[]", '{"b": 1}', "\xff"]), max_size=30)
)
def test_json_lines(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text("\n".join(lines), encoding="latin-1")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(side_by_side, "PIECE", 20)
        compare(file, "jsonl")
