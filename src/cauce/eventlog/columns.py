"""Rows of the log as Arrow columns: the shape of sealed files and of the hot tail in bulk."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import msgspec
import pyarrow as pa
import xxhash

from cauce.vocabulary.event import Call, Logged, identifiers_of
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Identifier, Normalization

Row = tuple[int, int, int, str, str, str, str, bytes]
"""position, received, time, call, name, message_id, source, body."""

PLAIN = pa.schema(
    [
        ("position", pa.int64()),
        ("received", pa.int64()),
        ("time", pa.int64()),
        ("call", pa.string()),
        ("name", pa.string()),
        ("message_id", pa.string()),
        ("source", pa.string()),
        ("body", pa.string()),
    ]
)
"""Moments are microseconds since 1970 UTC; ``body`` is the accepted JSON text byte for byte."""

SEALED = pa.schema(
    [
        *list(PLAIN)[:-1],
        ("identifiers", pa.list_(pa.string())),
        ("signature", pa.int64()),
        PLAIN.field("body"),
    ]
)
"""With what each event says about who did it; ``signature`` is null where it says nothing."""


class _Traits(TypedDict, total=False):
    email: Any
    phone: Any


class _Context(TypedDict, total=False):
    traits: _Traits
    externalIds: Any
    device: Any


class _Carrying(TypedDict, total=False):
    """The parts of a body that ``identifiers_of`` looks at; the others need no decoding."""

    userId: Any
    anonymousId: Any
    traits: _Traits
    context: _Context


_carrying = msgspec.json.Decoder(_Carrying)
_CALLS = {call.value: call for call in Call}


def logged(rows: Iterable[Sequence[Any]]) -> list[Logged]:
    """Rows of the log as they are handed out."""
    return [
        Logged(
            position=position,
            received=received,
            time=time,
            call=_CALLS[call],
            name=name,
            message_id=message_id,
            source=source,
            body=body,
        )
        for position, received, time, call, name, message_id, source, body in rows
    ]


def plain_columns(rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    """The rows, at least one, as columns: ``PLAIN``; what follows the body in a row is left out."""
    *columns, bodies = [*zip(*rows, strict=True)][: len(PLAIN)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, PLAIN, strict=False)]
    arrays.append(pa.array(bodies, pa.binary()).cast(pa.string()))  # ten times as fast as at once
    return pa.RecordBatch.from_arrays(arrays, schema=PLAIN)


def carried(body: bytes, call: Call, how: Normalization) -> tuple[Identifier, ...]:
    """The identifiers in a body, without decoding the rest of it."""
    try:
        parts: Any = _carrying.decode(body) if how.usual else decode_json(body)
    except (msgspec.DecodeError, RecursionError):  # a part has another kind than usual, or it is no JSON
        try:
            parts = decode_json(body)
        except (msgspec.DecodeError, RecursionError):
            return ()
    return identifiers_of(parts, call, how) if isinstance(parts, dict) else ()


def signature(identifiers: Sequence[str]) -> int | None:
    """A stable 64-bit hash (XXH3 without a seed, signed) of a set of ``type:value``; None if it is empty."""
    if not identifiers:
        return None
    digest: bytes = xxhash.xxh3_64_digest("\0".join(sorted(identifiers)).encode())
    return int.from_bytes(digest, "big", signed=True)
