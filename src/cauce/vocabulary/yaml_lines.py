"""YAML that remembers where everything was written, for errors with file and line.

Values are plain: dict with text keys, list, text, int, Decimal, bool and None.
Unquoted words follow YAML 1.2's core schema, without its surprises: ``no`` and
``on`` are text, a date is text, and a number with a point is exact.
Duplicate keys, tags and keys that are not text are refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.nearest import did_you_mean

Steps = tuple[str | int, ...]
"""A way into a document: keys and list indexes, e.g. ``("rules", 0, "when")``."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,30}\.[0-9]{1,30}")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_TEXT = "tag:yaml.org,2002:str"
_MAX_DEPTH = 64
_MAX_VALUES = 100_000


class Place(NamedTuple):
    """Where something was written; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """A YAML text as plain values, and the place of every key and value in it."""

    file: str
    value: Any = None
    keys: dict[Steps, Place] = field(default_factory=dict)
    values: dict[Steps, Place] = field(default_factory=dict)

    def place(self, steps: Steps) -> Place:
        """Where the entry stands: its key if it has one; for an absent entry, what would hold it."""
        while steps and steps not in self.keys and steps not in self.values:
            steps = steps[:-1]
        return self.keys.get(steps) or self.values.get(steps) or Place(1, 1)

    def error(self, steps: Steps, message: str, *, hint: str = "") -> BadSettings:
        """An error about an entry; its message begins with ``file:line:column``."""
        return _error(self.file, self.place(steps), message, hint)

    def unknown(self, steps: Steps, known: Iterable[str], *, noun: str = "key") -> BadSettings:
        """An error about the last of ``steps``, a name nobody knows; the hint names the nearest valid one."""
        name = str(steps[-1])
        return self.error(steps, f"unknown {noun} {name}.", hint=did_you_mean(name, known))


def load_yaml(path: Path) -> Document:
    """Read a YAML file; ``BadSettings`` names the file and the line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as missing:
        raise BadSettings(f"{path}: there is no such file.") from missing
    except OSError as failed:
        raise BadSettings(f"{path}: cannot be read: {failed.strerror}.") from failed
    except UnicodeDecodeError as wrong:
        raise BadSettings(f"{path}: is not UTF-8 text.", hint="Save the file as UTF-8.") from wrong
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str) -> Document:
    """Parse one YAML document; ``file`` is its name in errors."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise _error(file, place, f"{wrong.problem or wrong.context}.", "Check the YAML here.") from wrong
    except yaml.reader.ReaderError as wrong:
        before = text[: wrong.position]
        place = Place(before.count("\n") + 1, wrong.position - before.rfind("\n"))
        raise _error(file, place, "a control character is not allowed in YAML.", "Remove it.") from wrong
    except RecursionError as wrong:
        raise _error(file, Place(1, 1), f"the YAML is nested deeper than {_MAX_DEPTH}.", "") from wrong
    value = None if node is None else _Reading(document).value(node, ())
    return Document(file, value, document.keys, document.values)


class _Reading:
    """The walk over the nodes of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def value(self, node: yaml.Node, steps: Steps) -> Any:
        """The plain value of a node, noting its place."""
        values = self.document.values
        values[steps] = _place(node)
        if len(steps) > _MAX_DEPTH or len(values) > _MAX_VALUES:
            raise self._refuse(node, f"the YAML has more than {_MAX_DEPTH} levels or {_MAX_VALUES} values.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, steps)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*steps, index)) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT:
            raise self._refuse(node, f"the tag {node.tag} is not supported.")
        return _scalar(node.value) if node.style is None else node.value

    def _mapping(self, node: yaml.MappingNode, steps: Steps) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._refuse(key, "a key must be text.")
            if key.value in result:
                raise self._refuse(key, f"the key {key.value} is written twice.")
            inner = (*steps, key.value)
            self.document.keys[inner] = _place(key)
            result[key.value] = self.value(item, inner)
        return result

    def _refuse(self, node: yaml.Node, message: str) -> BadSettings:
        return _error(self.document.file, _place(node), message, "")


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _error(file: str, place: Place, message: str, hint: str) -> BadSettings:
    return BadSettings(f"{file}:{place.line}:{place.column}: {message}", hint=hint)
