"""Fingerprints of message ids and of contents: what makes two events the same.

Both are 64-bit xxHash values (XXH3) under a secret seed of the space, so nobody
outside can choose ids that collide. Two contents are the same if their bodies
are equal apart from what an SDK changes when it sends again.
"""

from collections.abc import Sequence

import msgspec
import xxhash

from cauce.vocabulary.event import Accepted

_UNSTABLE = ("sentAt", "_metadata", "receivedAt", "writeKey")
"""Members of the top-level object that differ between two sendings of one event."""

_MARKS = tuple(f'"{name}"'.encode() for name in _UNSTABLE)
_SENT_AT, _METADATA, _RECEIVED_AT, _WRITE_KEY = _MARKS

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def id_prints(events: Sequence[Accepted], seed: int) -> list[int]:
    """The fingerprint of each event's message id."""
    digest = xxhash.xxh3_64_intdigest
    return [digest(event.message_id.encode(), seed) for event in events]


def id_print(message_id: str, seed: int) -> int:
    """The fingerprint of one message id."""
    digest: int = xxhash.xxh3_64_intdigest(message_id.encode(), seed)
    return digest


def content_print(body: bytes, seed: int) -> bytes:
    """The fingerprint of a body in 8 bytes (big-endian), blind to the members that a retry changes.

    The search for their names is a cheap test; only a body that passes it is
    taken apart.
    """
    if _SENT_AT in body or _WRITE_KEY in body or _METADATA in body or _RECEIVED_AT in body:
        body = _stable(body)
    digest: bytes = xxhash.xxh3_64_digest(body, seed)
    return digest


def _stable(body: bytes) -> bytes:
    """The members of the object by name, without the unstable ones; other text as it is."""
    try:
        members = _members.decode(body)
    except msgspec.DecodeError:
        return body
    if not any(name in members for name in _UNSTABLE):
        return body
    return b"\n".join(
        name.encode() + b":" + bytes(value)
        for name, value in sorted(members.items())
        if name not in _UNSTABLE
    )
