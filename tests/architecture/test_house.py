"""The rules of the house that can be counted: sizes, names, docstrings, and where engines are chosen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "cauce"
FILES = sorted(SOURCE.rglob("*.py"))
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "core", "misc", "manager", "managers"}
ENGINES = {f"cauce.{port}.{engine}" for port in ("storage", "eventlog") for engine in ("sqlite", "postgres")}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_are_short() -> None:
    sizes = {path: lines_of(path) for path in FILES}
    assert len(sizes) > 40
    assert {str(p): n for p, n in sizes.items() if n > 500} == {}
    ordered = sorted(sizes.values())
    assert median(ordered) <= 120
    assert ordered[int(len(ordered) * 0.9)] <= 300


def test_functions_are_short() -> None:
    sizes = [
        (f.end_lineno - f.lineno + 1, f"{path.name}:{f.name}")
        for path in FILES
        for f in functions(path)
        if f.end_lineno
    ]
    assert [name for size, name in sizes if size > 60] == []
    ordered = sorted(size for size, _ in sizes)
    assert median(ordered) <= 10
    assert ordered[int(len(ordered) * 0.9)] <= 30


def test_names_explain() -> None:
    named = [p for p in SOURCE.rglob("*") if p.stem in FORBIDDEN]
    assert named == []


def public(
    node: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """What others can call: in modules and classes, not inside functions."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if inner.name.startswith("_"):
                continue
            yield inner
            if isinstance(inner, ast.ClassDef):
                yield from public(inner)


def test_every_public_thing_has_a_sentence() -> None:
    bare = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            bare.append(path.name)
        bare += [f"{path.name}:{node.name}" for node in public(tree) if not ast.get_docstring(node)]
    assert bare == []


def test_engines_are_chosen_in_one_place() -> None:
    choosers = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in ENGINES:
                choosers.add(path.relative_to(SOURCE).as_posix())
    outside = {p for p in choosers if p.split("/")[0] not in {"storage", "eventlog"}}
    assert outside == {"app/compose.py"}


def test_binary_floats_are_not_decoded() -> None:
    """JSON decoding goes through vocabulary.exact, which knows no floats."""
    found = [
        str(path.relative_to(SOURCE))
        for path in FILES
        if re.search(r"\bjson\.loads?\(", path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("readme", ["README.md", "README.es.md"])
def test_readmes_are_short(readme: str) -> None:
    assert 20 < lines_of(ROOT / readme) <= 150
