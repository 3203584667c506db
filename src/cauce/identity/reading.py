"""Events to try rules on, in the forms that people have them: ours, tracking calls, Adobe's graph text.

One event a line. A line of JSON is an event of the simulation format, or a call of
the tracking API if it names none of that format's fields. Any other line is a list
of identifiers, ``CRMID: Tom, ECID: 111``, seen together, later than those before it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.event import TRACKING, Call, identifiers_of
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Normalization

_OURS = {"ids", "op", "events"}
_AS_WRITTEN = Normalization({})
_CALLS = {call.value: call for call in TRACKING}


def read_lines(lines: Iterable[bytes], name: str) -> Iterator[dict[str, Any]]:
    """The events of a file as ``simulate`` takes them; empty lines and those that begin with ``#`` are none.

    Raises ``InvalidInput`` with the line's number, after ``name``.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        place = f"{name}:{number}"
        if text.startswith((b"{", b"[")):
            yield _from_json(text, place, number)
        else:
            yield {"id": f"line {number}", "ts": number, "ids": _from_text(text, place)}


def _from_json(text: bytes, place: str, number: int) -> dict[str, Any]:
    try:
        found = decode_json(text)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{place}: malformed JSON.", hint=f"{error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{place}: the line holds no JSON object.", hint="Write one event in each line.")
    if not _OURS.isdisjoint(found) or not {"type", "userId", "anonymousId"} & found.keys():
        return found
    return _from_call(found, place, number)


def _from_call(call: dict[str, Any], place: str, number: int) -> dict[str, Any]:
    """A tracking call; without a message id each line is an event of its own, without a time the next one."""
    kind = _CALLS.get(str(call.get("type", Call.TRACK)))
    if kind is None:
        raise InvalidInput(f"{place}: there is no call {call['type']}.", hint=f"One of {', '.join(_CALLS)}.")
    ids: dict[str, list[str]] = {}
    for type_, value in identifiers_of(call, kind, _AS_WRITTEN):
        ids.setdefault(type_, []).append(value)
    return {
        "id": call.get("messageId") or f"line {number}",
        "ts": call.get("originalTimestamp") or call.get("timestamp") or number,
        "ids": ids,
    }


def _from_text(text: bytes, place: str) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    try:
        parts = text.decode().split(",")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{place}: the line is not UTF-8 text.", hint="Save the file as UTF-8.") from error
    for part in parts:
        type_, colon, value = (piece.strip() for piece in part.partition(":"))
        if not (type_ and colon and value):
            raise InvalidInput(
                f"{place}: every identifier needs a namespace and a value.",
                hint="Write them as NS: value, NS: value.",
            )
        ids.setdefault(type_, []).append(value)
    return ids
