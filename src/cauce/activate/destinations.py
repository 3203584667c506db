"""Destinations: definitions made ready for sending, with their secrets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from cauce.vocabulary.definitions import DestinationDef, WebhookDef
from cauce.vocabulary.errors import BadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A webhook to call; ``rate`` is requests per second, ``timeout`` seconds for a whole attempt."""

    name: str
    url: httpx.URL
    secret: bytes = field(repr=False)
    allow_private: bool
    rate: int
    timeout: float


def ready(
    definitions: Iterable[DestinationDef], *, environment: Mapping[str, str], folder: Path
) -> list[Destination]:
    """The destinations with their secrets; a ``file:`` reference is relative to ``folder``.

    Raises ``BadSettings`` if a URL cannot be called or a secret is missing or
    empty: nothing is ever sent unsigned.
    """
    return [
        Destination(
            name=one.name,
            url=_url(one),
            secret=_secret(one, environment, folder),
            allow_private=one.allow_private,
            rate=one.rate,
            timeout=float(one.timeout),
        )
        for one in definitions
        if isinstance(one, WebhookDef)
    ]


def _url(definition: WebhookDef) -> httpx.URL:
    try:
        url = httpx.URL(definition.url)
    except httpx.InvalidURL as error:
        raise _bad(definition, f"has a malformed URL ({error}).", "Write it as https://host/path.") from error
    port = 443 if url.port is None else url.port
    if url.scheme not in ("http", "https") or not url.host or not 0 < port < 65_536:
        raise _bad(definition, "has a URL that cannot be called.", "Write it as https://host/path.")
    if url.userinfo:
        raise _bad(
            definition,
            "has a user or password in its URL.",
            "Take them out: requests are authenticated by their signature.",
        )
    return url


def _secret(definition: WebhookDef, environment: Mapping[str, str], folder: Path) -> bytes:
    kind, _, where = definition.secret.partition(":")
    if kind == "env":
        secret = environment.get(where, "").strip().encode()
        hint = f"Set the environment variable {where} to the secret that the destination verifies with."
    else:
        secret = _content(folder / where)
        hint = f"Put the secret that the destination verifies with into the file {where}."
    if not secret:
        raise _bad(definition, f"has no signing secret: {definition.secret} is missing or empty.", hint)
    return secret


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError:
        return b""


def _bad(definition: DestinationDef, message: str, hint: str) -> BadSettings:
    return BadSettings(f"Destination {definition.name} {message}", hint=hint)
