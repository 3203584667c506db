"""Which web pages may send."""

import msgspec
import pytest

from cauce.collect.origins import Origins
from cauce.collect.settings import Origin

NAMED = Origins(["https://shop.example", "https://*.shop.example", "http://127.0.0.1:8080"])
ALLOWED = [
    "https://shop.example",
    "https://SHOP.example",
    "https://a.b.shop.example",
    "http://127.0.0.1:8080",
]
REFUSED = [
    "http://shop.example",
    "https://shop.example:444",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://evil.example/.shop.example",
    "null",
    "",
]


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_named_origin_is_told_so(origin: str) -> None:
    headers = dict(NAMED.headers(origin.encode()) or ())
    assert headers[b"access-control-allow-origin"] == origin.encode()
    assert headers[b"timing-allow-origin"] == origin.encode()
    assert headers[b"vary"] == b"origin"
    assert b"access-control-allow-credentials" not in headers


@pytest.mark.parametrize("origin", REFUSED)
def test_another_origin_is_refused(origin: str) -> None:
    assert NAMED.headers(origin.encode()) is None


def test_programs_have_no_origin() -> None:
    assert dict(NAMED.headers(None) or ()) == {b"vary": b"origin"}


def test_any_origin() -> None:
    anyone = Origins(["*"])
    for origin in (None, b"null", b"https://shop.example"):
        assert dict(anyone.headers(origin) or ())[b"access-control-allow-origin"] == b"*"


@pytest.mark.parametrize(
    "text", ["*", "https://shop.example", "https://*.shop.example", "http://localhost:1"]
)
def test_settings_take_origins(text: str) -> None:
    assert msgspec.convert(text, Origin) == text


@pytest.mark.parametrize(
    "text",
    ["shop.example", "https://shop.example/", "https://Shop.example", "https://a*.example", "**", "", "null"],
)
def test_settings_refuse_what_is_no_origin(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Origin)
