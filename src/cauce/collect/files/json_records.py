"""The records of a JSON Lines file: one JSON object in each line."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from cauce.collect.diagnosis import too_deep, why_malformed
from cauce.collect.files.mapping.model import FileFormat, Path
from cauce.collect.files.mapping.values import split_path
from cauce.collect.files.record import Record
from cauce.collect.files.stream import FAULTS, FileBytes
from cauce.collect.numbers import check_float
from cauce.collect.reasons import Problem, Reason
from cauce.collect.settings import CollectSettings

MAX_NESTING = CollectSettings().max_nesting
_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


class JsonRecords:
    """The objects of a file, with the values at the wanted paths as cells."""

    def __init__(self, data: FileBytes, form: FileFormat, wanted: Sequence[str]) -> None:  # noqa: ARG002
        self._data = data
        self._paths = [split_path(name) for name in wanted]

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._data.lines(), 1):
            if line.fault:
                yield Record(number, line.raw, reason=line.fault, detail=FAULTS[line.fault])
            elif line.raw.strip():
                yield self._record(number, line.raw)

    def _record(self, number: int, raw: bytes) -> Record:
        try:
            value = _decoder.decode(raw)
        except RecursionError:
            return _bad(number, raw, too_deep(MAX_NESTING))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _bad(number, raw, why_malformed(raw, MAX_NESTING))
        if not isinstance(value, dict):
            return _bad(number, raw, Problem(Reason.NOT_AN_OBJECT, "The line is no JSON object."))
        content = _canonical.encode(value).decode()
        return Record(number, raw, (content,), [_at(value, path) for path in self._paths])


def _decimal(text: str) -> Decimal:
    check_float(text)
    return Decimal(text)


_decoder = msgspec.json.Decoder(float_hook=_decimal)


def _bad(number: int, raw: bytes, problem: Problem) -> Record:
    return Record(number, raw, reason=problem.reason, detail=problem.detail)


def _at(value: Any, path: Path) -> Any:
    """The value at a path; None if there is none, or if the path leads through a list."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
