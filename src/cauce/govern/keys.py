"""Keys: how a program proves which source it is, or who reads.

A secret has 256 bits of randomness, so a plain SHA-256 of it cannot be guessed
back and no slow hash is needed. Only the hash is stored.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol

from sqlalchemy import func, select

from cauce.govern.access import Scope, check_scopes
from cauce.govern.records import key as key_table
from cauce.storage.records import Reader, Records, Row
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import Moment

_SECRET_BYTES = 32
_ID_LETTERS = 10
_SCHEME = "sha256:"


class KeyKind(StrEnum):
    """What a key is for: sending events, or using the API."""

    WRITE = "write"
    API = "api"


class Key(NamedTuple):
    """What is known of a key; its secret is not."""

    id: str
    kind: KeyKind
    name: str
    source: str
    scopes: frozenset[Scope]
    created: Moment
    revoked: Moment | None


class IssuedKey(NamedTuple):
    """A new key with its secret, which is shown once and never again."""

    key: Key
    secret: str


Randomness = Callable[[int], str]
"""Gives URL-safe text with that many random bytes, like ``secrets.token_urlsafe``."""


def hash_secret(secret: str) -> str:
    """The form in which a secret is stored: the scheme, and the digest in hexadecimal."""
    return _SCHEME + hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KeyStore:
    """Issues, lists and revokes keys."""

    def __init__(self, control: Records, randomness: Randomness = secrets.token_urlsafe) -> None:
        self._control = control
        self._randomness = randomness

    def issue_write_key(self, source: str, *, name: str = "", now: Moment) -> IssuedKey:
        """A new key with which ``source`` sends events."""
        return self._issue(KeyKind.WRITE, name or source, source, frozenset(), now)

    def issue_api_key(self, name: str, scopes: Iterable[str], *, now: Moment) -> IssuedKey:
        """A new key for the API; raises ``InvalidInput`` on an unknown scope or none."""
        return self._issue(KeyKind.API, name, "", check_scopes(scopes), now)

    def _issue(
        self, kind: KeyKind, name: str, source: str, scopes: frozenset[Scope], now: Moment
    ) -> IssuedKey:
        if not name:
            raise InvalidInput("A key needs a name.", hint="Name the program or the person that will use it.")
        secret = f"cauce_{kind}_{self._randomness(_SECRET_BYTES)}"
        hashed = hash_secret(secret)
        key_id = f"key_{hashed.removeprefix(_SCHEME)[:_ID_LETTERS]}"
        key = Key(key_id, kind, name, source, scopes, now, None)
        with self._control.write() as transaction:
            transaction.put(key_table, [_row(key, hashed, _last_change(transaction) + 1)])
        return IssuedKey(key, secret)

    def revoke(self, key_id: str, *, now: Moment) -> Key:
        """End a key's validity; revoking twice keeps the first moment. ``NotFound`` if there is none."""
        with self._control.write() as transaction:
            found = transaction.rows(key_table, "id", [key_id])
            if not found:
                raise NotFound(f"There is no key {key_id}.", hint="`cauce key list` shows the keys.")
            key = _key(found[0])
            if key.revoked is None:
                key = key._replace(revoked=now)
                transaction.put(key_table, [_row(key, found[0][0], _last_change(transaction) + 1)])
        return key

    def list(self) -> list[Key]:
        """Every key ever issued, oldest first."""
        with self._control.read() as reader:
            return sorted(map(_key, reader.select(select(key_table))), key=lambda one: (one.created, one.id))


class ControlReads(Protocol):
    """What a key ring needs of the control store."""

    def read(self) -> AbstractContextManager[Reader]:
        """A snapshot for reading."""


class KeyRing:
    """Says in constant time whom a secret names; follows changes that other processes make.

    All valid keys are kept in memory by hash. A known key is trusted for
    ``trust_seconds`` before the store is asked whether any key changed, so a
    revoked key works that much longer. An unknown one asks at once, so that a
    new key works at once. Neither costs more as keys grow in number.
    """

    def __init__(
        self, control: ControlReads, monotonic: Callable[[], float], trust_seconds: float = 0.1
    ) -> None:
        self._control = control
        self._monotonic = monotonic
        self._trust_seconds = trust_seconds
        self._known: tuple[int, dict[str, Key]] = (-1, {})  # one value, so that threads see both parts fit
        self._asked = float("-inf")
        self._hashes: dict[str, str] = {}  # of secrets that name a key: senders come again and again

    def verify(self, write_key: str) -> str | None:
        """The source that a write key names; None if the key is unknown, revoked or no write key."""
        key = self._find(write_key)
        return key.source if key and key.kind is KeyKind.WRITE else None

    def viewer(self, api_key: str) -> Viewer | None:
        """The viewer that an API key names; None if the key is unknown, revoked or no API key."""
        key = self._find(api_key)
        return Viewer(key.name, key.scopes) if key and key.kind is KeyKind.API else None

    def _find(self, secret: str) -> Key | None:
        hashed = self._hashes.get(secret) or hash_secret(secret)
        key = self._known[1].get(hashed)
        if key is None or self._monotonic() - self._asked >= self._trust_seconds:
            self._follow()
            key = self._known[1].get(hashed)
            if key is not None:
                self._hashes[secret] = hashed
        return key

    def _follow(self) -> None:
        self._asked = self._monotonic()
        with self._control.read() as reader:
            change = _last_change(reader)
            if change == self._known[0]:
                return
            rows = reader.select(select(key_table).where(key_table.c.revoked.is_(None)))
        self._known = (change, {row[0]: _key(row) for row in rows})
        self._hashes = {}


def _last_change(reader: Reader) -> int:
    return int(reader.select(select(func.coalesce(func.max(key_table.c.change), 0)))[0][0])


def _row(key: Key, hashed: str, change: int) -> Row:
    scopes = " ".join(sorted(key.scopes))
    return (hashed, key.id, key.kind, key.name, key.source, scopes, key.created, key.revoked, change)


def _key(row: Row) -> Key:
    _, key_id, kind, name, source, scopes, created, revoked, _ = row
    return Key(key_id, KeyKind(kind), name, source, frozenset(map(Scope, scopes.split())), created, revoked)
