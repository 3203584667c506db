"""From the bytes of a request to the JSON text in them: compression, forms, byte order marks."""

import base64
import binascii
import re
import zlib
from urllib.parse import unquote_to_bytes

from cauce.collect.reasons import Problem, Reason

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORM = b"application/x-www-form-urlencoded"
_DATA = re.compile(rb"(?:^|&)data=([^&]*)")
_GZIP_WINDOW = 31
_STARTS = (b"{", b"[")


def json_text(body: bytes, content_type: bytes, limit: int) -> bytes | Problem:
    """The JSON text of a body, at most ``limit`` bytes of it.

    Compression is known by its first bytes, not by its header, because proxies
    change the one without the other. A form carries JSON in its field ``data``,
    percent-encoded or in base64, or is percent-encoded JSON as a whole; a body
    that a client only labels as a form (curl does) is taken as it is.
    """
    if body[:2] == _GZIP:
        inflated = _inflate(body, limit)
        if isinstance(inflated, Problem):
            return inflated
        body = inflated
    if len(body) > limit:
        return Problem(Reason.BODY_TOO_LARGE, f"The body is longer than {limit} bytes.")
    if body[:3] == _BYTE_ORDER_MARK:
        body = body[3:]
    if content_type[: len(_FORM)].lower() == _FORM:
        return _form(body)
    return body


def _inflate(body: bytes, limit: int) -> bytes | Problem:
    """The uncompressed body; never holds more than ``limit`` bytes of it."""
    parts: list[bytes] = []
    room = limit + 1
    while body:
        inflater = zlib.decompressobj(_GZIP_WINDOW)
        try:
            parts.append(inflater.decompress(body, room))
        except zlib.error:
            return Problem(Reason.BAD_COMPRESSION, "The body is not valid gzip.")
        room -= len(parts[-1])
        if room <= 0:
            return Problem(Reason.BODY_TOO_LARGE, f"The body inflates to more than {limit} bytes.")
        if not inflater.eof:
            return Problem(Reason.BAD_COMPRESSION, "The compressed body was cut off.")
        body = inflater.unused_data  # gzip allows several members one after another
    return b"".join(parts)


def _form(body: bytes) -> bytes | Problem:
    text = body.strip()
    if text[:1] in _STARTS:
        return text
    data = _DATA.search(text)
    text = _unquote(data[1] if data else text.removesuffix(b"="))
    if text[:1] in _STARTS:
        return text
    try:
        text = base64.b64decode(text.translate(_STANDARD_ALPHABET) + b"==").strip()
    except binascii.Error:
        text = b""
    if text[:1] in _STARTS:
        return text
    return Problem(Reason.BAD_FORM, "The form carries no JSON: send it in the field data.")


_STANDARD_ALPHABET = bytes.maketrans(b"-_ ", b"+/+")


def _unquote(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" ")).strip()
