"""Fingerprints of message ids and of contents: what makes two events the same.

Both are 64-bit xxHash values (XXH3) under a secret seed of the space, so nobody
outside can choose ids that collide. Two contents are the same if their bodies
are equal apart from what an SDK changes when it sends again.
"""

from collections.abc import Sequence

import msgspec
import xxhash

from cauce.vocabulary.event import Accepted


class _Unstable(msgspec.Struct):
    """Members of the top-level object that differ between two sendings of one event.

    Decoding into it skips everything else, which is quicker than looking for
    the four names in the text, and exact.
    """

    sentAt: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    writeKey: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    receivedAt: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.field(name="_metadata", default=msgspec.UNSET)


UNSTABLE = frozenset(_Unstable.__struct_encode_fields__)
"""Their names."""

_unstable = msgspec.json.Decoder(_Unstable)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def id_prints(events: Sequence[Accepted], seed: int) -> list[int]:
    """The fingerprint of each event's message id."""
    digest = xxhash.xxh3_64_intdigest
    return [digest(event.message_id.encode(), seed) for event in events]


def id_print(message_id: str, seed: int) -> int:
    """The fingerprint of one message id."""
    digest: int = xxhash.xxh3_64_intdigest(message_id.encode(), seed)
    return digest


def content_prints(events: Sequence[Accepted], seed: int) -> list[bytes]:
    """The fingerprint of each event's content."""
    digest = xxhash.xxh3_64_digest
    return [digest(event.body if event.stable else _stable(event.body), seed) for event in events]


def content_print(body: bytes, seed: int) -> bytes:
    """The fingerprint of a body in 8 bytes (big-endian), blind to the members that a retry changes."""
    digest: bytes = xxhash.xxh3_64_digest(_stable(body), seed)
    return digest


def _stable(body: bytes) -> bytes:
    """The body itself, or if it has unstable members the other ones by name; no object: the text."""
    unset = msgspec.UNSET
    try:
        found = _unstable.decode(body)
        if found.sentAt is found.writeKey is found.metadata is found.receivedAt is unset:
            return body
        members = _members.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body
    return b",".join(
        msgspec.json.encode(name) + b":" + bytes(value)
        for name, value in sorted(members.items())
        if name not in UNSTABLE
    )
