"""Definitions as files: every YAML file of the ``definitions`` folder becomes one checked whole.

Each kind has its folder; a file holds one definition or a list of them. All
that is wrong in all files is told together, with file, line and column.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from cauce.app.definition_checks import Written, check
from cauce.app.problems import Problems
from cauce.app.rule_checks import check_rules
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.kinds import KINDS, Kind, bundle
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Document, Steps, load_yaml

YAML_SUFFIXES = (".yaml", ".yml")
"""How the names of definition files end."""


def load_definitions(folder: Path, purposes: Sequence[str]) -> Definitions:
    """The definitions of a space; raises ``BadFiles`` with everything that is wrong in them.

    ``purposes`` are those that the settings declare.
    """
    problems = Problems()
    _find_misplaced(folder, problems)
    unique: dict[tuple[str, str], Written] = {}
    for kind in KINDS:
        for one in _read_kind(folder / kind.folder, kind, problems):
            first = unique.setdefault((kind.folder, one.name), one)
            if first is not one:
                _repeated(one, first, problems)
    check(unique.values(), folder, purposes, problems)
    check_rules(list(unique.values()), problems)
    problems.refuse()
    return bundle((one.name, one.value) for one in unique.values())


def _find_misplaced(folder: Path, problems: Problems) -> None:
    folders = [kind.folder for kind in KINDS]
    if not folder.is_dir():
        problems.add(str(folder), "there is no such folder.", "`cauce init DIR` makes one to copy.")
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and entry.name not in folders and not entry.name.startswith("."):
            problems.add(str(entry), "is no kind of definition.", did_you_mean(entry.name, folders))
        elif entry.is_file() and entry.suffix in YAML_SUFFIXES:
            problems.add(str(entry), "belongs to no kind.", f"Move it to one of: {', '.join(folders)}.")


def _read_kind(folder: Path, kind: Kind, problems: Problems) -> Iterator[Written]:
    for file in sorted(path for path in folder.rglob("*") if path.suffix in YAML_SUFFIXES and path.is_file()):
        try:
            document = load_yaml(file)
        except BadSettings as error:
            problems.unreadable(str(file), error)
            continue
        value = document.value
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _read_one(document, item, (index,), kind, problems)
        elif value is not None:  # a file of comments defines nothing
            yield from _read_one(document, value, (), kind, problems)


def _read_one(
    document: Document, value: Any, steps: Steps, kind: Kind, problems: Problems
) -> Iterator[Written]:
    if not isinstance(value, dict):
        problems.at(document, steps, "expected a definition.", f"Begin with `{kind.key}: NAME`.")
        return
    before = len(problems.found)
    model = _model(document, value, steps, kind, problems)
    if model is None:
        return
    types = get_type_hints(model, include_extras=True)
    fitting: dict[str, Any] = {}
    for name, inner in value.items():
        way = (*steps, name)
        if name in types:
            fitting[name] = problems.fit(document, way, inner, types[name])
        elif name != "kind" or not kind.models:
            problems.at(document, way, f"{name}: unknown key.", did_you_mean(name, types))
    for field in msgspec.structs.fields(model):
        if field.required and field.name not in value:
            hint = msgspec.json.schema(types[field.name]).get("description", "")
            problems.at(document, steps, f"the key {field.name} is missing.", hint)
    if len(problems.found) == before:
        definition = model(**fitting)
        yield Written(getattr(definition, kind.key), definition, document, steps)


def _model(
    document: Document, value: dict[str, Any], steps: Steps, kind: Kind, problems: Problems
) -> type[msgspec.Struct] | None:
    """The class of a definition; None, and a problem, if its ``kind`` is missing or unknown."""
    models = kind.models
    if not models:
        return kind.model
    written = value.get("kind")
    if isinstance(written, str) and written in models:
        found: type[msgspec.Struct] = models[written]
        return found
    if "kind" not in value:
        problems.at(document, steps, "the key kind is missing.", f"Write one of: {', '.join(models)}.")
    else:
        hint = did_you_mean(str(written), models)
        problems.at(document, (*steps, "kind"), f"kind: there is no kind {written}.", hint)
    return None


def _repeated(one: Written, first: Written, problems: Problems) -> None:
    place = first.document.place(first.steps)
    problems.at(
        one.document,
        one.steps,
        f"{one.name} is defined already.",
        f"The first is in {first.document.file}:{place.line}; rename or remove one.",
    )
