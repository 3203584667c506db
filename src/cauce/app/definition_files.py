"""Definitions as files again: a folder that reads back equal to a version.

A file that says what the version says is left alone, with its comments. A
definition without a file gets one of its own, named after it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from cauce.app.definitions import YAML_SUFFIXES
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import Key, canonical, plain, written_fields
from cauce.vocabulary.definitions.kinds import KINDS, Kind
from cauce.vocabulary.errors import BadSettings, CauceError, Conflict
from cauce.vocabulary.yaml_lines import load_yaml


class Exported(NamedTuple):
    """What an export did to the files of a folder, each by its path."""

    written: list[Path]
    removed: list[Path]
    left: list[Path]


def export(definitions: Definitions, folder: Path, *, overwrite: bool = False) -> Exported:
    """Make a folder hold exactly these definitions.

    Raises ``Conflict`` if that changes or removes a file that is there, unless
    ``overwrite`` is set, and ``CauceError`` if the folder cannot be written.
    """
    wanted = {Key(kind.folder, name): one for kind in KINDS for name, one in kind.of(definitions).items()}
    texts, left = _planned(wanted, folder)
    lost = sorted(
        path for path, text in texts.items() if path.exists() and path.read_text("utf-8-sig") != text
    )
    if lost and not overwrite:
        raise Conflict(
            f"{len(lost)} files of {folder} say something else: {', '.join(map(str, lost[:5]))}.",
            hint="Keep what you want of them, then export with --force; or export into another folder.",
            code="files_differ",
        )
    try:
        return _write(texts, left)
    except OSError as error:
        raise CauceError(
            f"{folder} cannot be written: {error.strerror}.", hint="Name a folder that can be written."
        ) from error


def _write(texts: Mapping[Path, str], left: list[Path]) -> Exported:
    written, removed = [], []
    for path, text in texts.items():
        if text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
        else:
            path.unlink()
            removed.append(path)
    return Exported(written, removed, left)


def _planned(wanted: Mapping[Key, msgspec.Struct], folder: Path) -> tuple[dict[Path, str], list[Path]]:
    """The text of each file to be written, empty for one to be removed, and the files left alone."""
    texts: dict[Path, str] = {}
    left: list[Path] = []
    placed: set[Key] = set()
    for kind in KINDS:
        for path in _yaml_files(folder / kind.folder):
            found = _keys(path, kind)
            keys = [key for key in found if key in wanted and key not in placed]
            placed.update(keys)
            if all(key in keys and _same(text, wanted[key]) for key, text in found.items()):
                left.append(path)
            else:
                texts[path] = _file(wanted[key] for key in keys)
    for kind in KINDS:
        for key, one in wanted.items():
            if key.kind == kind.folder and key not in placed:
                texts[_free(folder / kind.folder, key.name, {*texts, *left})] = _file([one])
    return texts, left


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in YAML_SUFFIXES and path.is_file())


def _keys(path: Path, kind: Kind) -> dict[Key, str]:
    """What a file defines, as canonical text; empty text for what cannot be read."""
    try:
        value = load_yaml(path).value
    except BadSettings:
        return {Key(kind.folder, ""): ""}
    items = value if isinstance(value, list) else [] if value is None else [value]
    found: dict[Key, str] = {}
    for item in items:
        name = str(item.get(kind.key, "")) if isinstance(item, dict) else ""
        try:
            text = canonical(msgspec.convert(item, kind.type))
        except msgspec.ValidationError:
            text = ""
        key = Key(kind.folder, name)
        found[key] = "" if key in found else text
    return found


def _same(text: str, wanted: msgspec.Struct) -> bool:
    return text == canonical(wanted)


def _free(folder: Path, name: str, taken: Iterable[Path]) -> Path:
    """A path for a definition: its name where that can be a file's, and nothing else has it."""
    plain_name = "".join(c if c.isalnum() or c in "_.-" else "_" for c in name).strip(".") or "definition"
    known = set(taken)
    path, number = folder / f"{plain_name}.yaml", 1
    while path in known or path.exists():
        number += 1
        path = folder / f"{plain_name}-{number}.yaml"
    return path


def _file(definitions: Iterable[msgspec.Struct]) -> str:
    values = [plain(written_fields(one)) for one in definitions]
    return yaml_text(values[0] if len(values) == 1 else values) if values else ""


def yaml_text(value: Any) -> str:
    """YAML that ``load_yaml`` reads back as the same plain value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )
    return text


def flow_text(value: Any) -> str:
    """A plain value as YAML on one line: ``{type: email, limit: 5}``."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ONE_LINE, default_flow_style=True
    )
    return text.strip()


_ONE_LINE = 1_000_000

_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""Characters that YAML takes for the end of a line, or drops, unless they are escaped."""


class _Dumper(yaml.SafeDumper):
    """Writes rules of several lines as they were written, and numbers in plain digits."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the library's signature
        """No anchors: people read these files."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if not _BREAKS.isdisjoint(text):
        style = '"'
    elif "\n" in text and not any(line != line.rstrip() for line in text.split("\n")):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    digits = format(number, "f")
    return dumper.represent_scalar("tag:yaml.org,2002:float", digits if "." in digits else f"{digits}.0")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Decimal, _decimal)
