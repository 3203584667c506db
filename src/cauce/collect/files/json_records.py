"""The records of a JSON Lines file: one JSON object in each line."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from cauce.collect.files.mapping.model import FileFormat, Path
from cauce.collect.files.mapping.values import split_path
from cauce.collect.files.record import Record
from cauce.collect.files.stream import MAX_LINE, FileBytes
from cauce.vocabulary.exact import decode_json

_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


class JsonRecords:
    """The objects of a file, with the values at the wanted paths as cells."""

    def __init__(self, data: FileBytes, form: FileFormat, wanted: Sequence[str]) -> None:  # noqa: ARG002
        self._data = data
        self._paths = [split_path(name) for name in wanted]

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._data.lines(), 1):
            if not line.whole:
                yield Record(
                    number, line.raw, reason="too_large", detail=f"The line is longer than {MAX_LINE} bytes."
                )
            elif line.raw.strip():
                yield self._record(number, line.raw)

    def _record(self, number: int, raw: bytes) -> Record:
        try:
            value = decode_json(raw)
            content = _canonical.encode(value).decode()
        except UnicodeDecodeError:
            return Record(number, raw, reason="wrong_encoding", detail="The line is not UTF-8 text.")
        except RecursionError:
            return Record(number, raw, reason="too_deep", detail="The line is nested too deeply.")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return Record(number, raw, reason="not_json", detail="The line is not valid JSON.")
        if not isinstance(value, dict):
            return Record(number, raw, reason="not_object", detail="The line is no JSON object.")
        return Record(number, raw, (content,), [_at(value, path) for path in self._paths])


def _at(value: Any, path: Path) -> Any:
    """The value at a path; None if there is none, or if the path leads through a list."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
