"""Destinations: definitions made ready, with their secrets and folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from cauce.activate.secrets import Secret, find_secret
from cauce.vocabulary.definitions import AnyDestination, DestinationDef, FileDef, SqlDef, WebhookDef
from cauce.vocabulary.errors import BadSettings

_KEPT_BY_CAUCE = ("log", "definitions", "scratch", "secrets", ".schemas")
"""Folders of a space that hold something else than exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """A webhook to call; ``rate`` is requests per second, ``timeout`` seconds for a whole attempt."""

    name: str
    url: httpx.URL
    secret: Secret
    allow_private: bool
    rate: int
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTarget:
    """A folder to put files into; it lies within ``within``, whatever links it goes through."""

    definition: FileDef
    folder: Path
    within: tuple[Path, ...]
    not_in: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The name of the destination."""
        return self.definition.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTarget:
    """A table to write to; ``url`` holds a password."""

    definition: SqlDef
    url: Secret

    @property
    def name(self) -> str:
        """The name of the destination."""
        return self.definition.name


Target = WebhookTarget | FileTarget | SqlTarget


def ready(
    definitions: Iterable[AnyDestination | DestinationDef],
    *,
    environment: Mapping[str, str],
    folder: Path,
    folders: Iterable[str] = (),
) -> list[Target]:
    """The destinations with their secrets; what is not absolute is relative to ``folder``, the space.

    ``folders`` are those outside of the space that the settings allow. Raises
    ``BadSettings`` if a URL cannot be called, a folder is not allowed, or a secret
    is missing or empty: nothing is ever sent unsigned. Paused ones are left out.
    """
    found: list[Target] = []
    for one in definitions:
        match one:
            case _ if one.paused:
                continue
            case WebhookDef():
                found.append(_webhook(one, environment, folder))
            case FileDef():
                found.append(_file(one, folder, folders))
            case SqlDef():
                url = find_secret(
                    one.url,
                    who=one.name,
                    what="SQLAlchemy URL of the database",
                    environment=environment,
                    folder=folder,
                )
                found.append(SqlTarget(definition=one, url=url))
    return found


def _webhook(definition: WebhookDef, environment: Mapping[str, str], folder: Path) -> WebhookTarget:
    url = _url(definition)
    secret = find_secret(
        definition.secret,
        who=definition.name,
        what="signing secret that the destination verifies with",
        environment=environment,
        folder=folder,
    )
    return WebhookTarget(
        name=definition.name,
        url=url,
        secret=secret,
        allow_private=definition.allow_private,
        rate=definition.rate,
        timeout=float(definition.timeout),
    )


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


def _file(definition: FileDef, space: Path, folders: Iterable[str]) -> FileTarget:
    root = space.resolve()
    target = FileTarget(
        definition=definition,
        folder=root / definition.folder,
        within=(root, *(Path(one).resolve() for one in folders)),
        not_in=tuple(root / one for one in _KEPT_BY_CAUCE),
    )
    allowed(target)
    return target


def allowed(target: FileTarget) -> Path:
    """The folder as it is now, links resolved; raises ``BadSettings`` if files may not be put there."""
    folder = target.folder.resolve()
    inside = folder != target.within[0] and any(map(folder.is_relative_to, target.within))
    if not inside or any(folder.is_relative_to(one) for one in target.not_in):
        raise _bad(
            target.definition,
            f"may not put files into {target.definition.folder}.",
            "Name a folder of the space that Cauce does not use itself, such as exports/NAME, or one within "
            "the setting activate.folders.",
        )
    return folder


def _bad(definition: DestinationDef, message: str, hint: str) -> BadSettings:
    return BadSettings(f"Destination {definition.name} {message}", hint=hint)
