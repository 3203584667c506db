"""The write key of a request: from its Authorization header or from its body."""

import base64
import binascii
import re
from functools import lru_cache

import msgspec

_BASIC = b"basic "
_IN_TEXT = re.compile(rb'("writeKey"\s*:\s*")([^"\\]{1,200})(?=")')


class _Keyed(msgspec.Struct, gc=False):
    writeKey: str | None = None


_keyed = msgspec.json.Decoder(_Keyed)


@lru_cache(maxsize=1_024)
def basic_key(header: bytes) -> str | None:
    """The write key of a Basic header: the user name, with or without a colon behind it.

    None if the header is of another scheme: a Bearer token comes beside a key
    in the body. Empty if it is Basic, but holds no readable key.
    """
    if header[: len(_BASIC)].lower() != _BASIC:
        return None
    try:
        text = base64.b64decode(header[len(_BASIC) :].strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text.partition(":")[0]


def key_of_event(text: bytes) -> str:
    """The key under ``writeKey`` in the body of a single call; empty if there is none."""
    try:
        return _keyed.decode(text).writeKey or ""
    except (msgspec.DecodeError, RecursionError):
        return key_in_broken(text)


def key_in_broken(text: bytes) -> str:
    """The first thing that looks like a write key in a body that is no JSON; empty if nothing does.

    So that what an authentic sender garbled is kept in quarantine.
    """
    match = _IN_TEXT.search(text)
    return match[2].decode(errors="replace") if match else ""


def without_key(text: bytes) -> bytes:
    """The text with an empty text in place of every write key: quarantine keeps no secret."""
    return _IN_TEXT.sub(rb"\1", text)
