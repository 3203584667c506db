"""Hashes of identifiers: by which they are looked up, and by which profiles are named.

A public id is the digest of the anchor, 80 bits of BLAKE2b, mixed with a mask of the
view. So every id ever given out leads back to its anchor, and nothing need be kept of it.
"""

from hashlib import blake2b

_BYTES = 10
_LEFT_OUT = 16
"""Bits of a digest that are not part of the look-up hash."""


def hash_of(key: str) -> int:
    """The look-up hash of ``type:value``: the first 64 bits of its digest, as a signed integer."""
    return int.from_bytes(_bytes(key)[:8], "big", signed=True)


def hash_bytes(key: str) -> bytes:
    """The look-up hash of ``type:value`` as eight bytes, the highest first."""
    return _bytes(key)[:8]


class Names:
    """The public ids of the profiles of one view."""

    def __init__(self, view: str) -> None:
        self._mask = _digest(view)

    def profile_id(self, anchor: str) -> str:
        """The public id of the profile that ``type:value`` anchors."""
        return f"p_{_digest(anchor) ^ self._mask:020x}"

    def anchor_hash(self, profile_id: str) -> int | None:
        """The look-up hash of the anchor of a public id; None if the text is no public id."""
        digits = profile_id.removeprefix("p_")
        if len(digits) != 2 * _BYTES or not set(digits) <= set("0123456789abcdef"):
            return None
        hashed = (int(digits, 16) ^ self._mask) >> _LEFT_OUT
        return hashed - (1 << 64) if hashed >> 63 else hashed


def _digest(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _bytes(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()
