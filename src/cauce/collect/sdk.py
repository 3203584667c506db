"""What the SDKs of browsers and phones fetch before they send: their settings, and the script itself."""

import logging
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import xxhash

from cauce.collect.answers import NOT_MODIFIED, Answer, Header, Message, answer, not_found
from cauce.collect.needs import WriteKeys
from cauce.collect.service import OK
from cauce.collect.settings import CollectSettings

logger = logging.getLogger(__name__)

_SETTINGS = re.compile(r"/(?:v1/)?projects/([^/]{1,200})/settings")
_SCRIPT = re.compile(r"/analytics\.js/v1/([^/]{1,200})/analytics(?:\.min)?\.js")
_BUNDLE = re.compile(r"/analytics-next/bundles/(\w[\w.-]{0,200}\.js)", re.ASCII)
_HOST = re.compile(rb"[A-Za-z0-9.\-:\[\]]{1,255}")
_ENTRY = "standalone.js"
_JSON = (b"content-type", b"application/json")
_JAVASCRIPT = (b"content-type", b"text/javascript; charset=utf-8")
_BY_ENCODING = (b"vary", b"accept-encoding")
_GZIPPED = (b"content-encoding", b"gzip")
_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
_GZIP_WINDOW = 31


class _File(NamedTuple):
    plain: bytes
    gzipped: bytes
    tag: bytes


class SdkFiles:
    """Answers what SDKs fetch: settings by write key, and the files of analytics.js from a folder."""

    def __init__(self, keys: WriteKeys, settings: CollectSettings) -> None:
        self._keys = keys
        self._public_url = settings.public_url.rstrip("/")
        self._folder = Path(settings.sdk_folder) if settings.sdk_folder else None
        self._cached = (b"cache-control", f"public, max-age={settings.cache_seconds}".encode())
        self._files: dict[str, _File] = {}
        if self._folder and not (self._folder / _ENTRY).is_file():
            logger.error("collector.sdk_folder holds no %s: pages cannot fetch analytics.js", _ENTRY)

    def find(self, path: str) -> Callable[[Message, dict[bytes, bytes]], Answer] | None:
        """What answers a request for a path; None if it is none of these. It raises ``CauceError``."""
        if found := _SETTINGS.fullmatch(path):
            key = found[1]
            return lambda scope, headers: self._settings(key, scope, headers)
        if found := _SCRIPT.fullmatch(path):
            key = found[1]
            return lambda _, headers: self._script(key, headers)
        if found := _BUNDLE.fullmatch(path):
            name = found[1]
            return lambda _, headers: self._file(name, headers, _FOREVER)
        return None

    def _settings(self, key: str, scope: Message, headers: dict[bytes, bytes]) -> Answer:
        """The settings of a source (``field.md`` 2.5)."""
        if self._keys.verify(key) is None:
            return _NO_SUCH_KEY
        scheme, _, host = (self._public_url or _asked(scope, headers)).partition("://")
        body = msgspec.json.encode(sdk_settings(key, f"{host}/v1", scheme))
        return _tagged(body, _tag(body), headers, _JSON, self._cached)

    def _script(self, key: str, headers: dict[bytes, bytes]) -> Answer:
        """The script that a page includes; it loads its parts from beside it when it needs them."""
        if self._keys.verify(key) is None:
            return _NO_SUCH_KEY
        return self._file(_ENTRY, headers, self._cached)

    def _file(self, name: str, headers: dict[bytes, bytes], cached: Header) -> Answer:
        if self._folder is None:
            return _NO_FOLDER
        file = self._files.get(name)
        if file is None:
            try:
                plain = (self._folder / name).read_bytes()
            except OSError:
                return _NO_FILE
            file = self._files[name] = _File(plain, _gzip(plain), _tag(plain))
        if b"gzip" in headers.get(b"accept-encoding", b""):
            kind = (_JAVASCRIPT, cached, _BY_ENCODING, _GZIPPED)
            return _tagged(file.gzipped, file.tag, headers, *kind)
        return _tagged(file.plain, file.tag, headers, _JAVASCRIPT, cached, _BY_ENCODING)


_NO_SUCH_KEY = not_found(
    "unknown_write_key", "The write key is unknown or revoked; `cauce key list` shows all."
)
_NO_FOLDER = not_found(
    "no_sdk", "This server hands out no script: the setting collector.sdk_folder names no folder."
)
_NO_FILE = not_found("not_found", "The folder of the script does not hold this file.")


def sdk_settings(write_key: str, api_host: str, scheme: str) -> dict[str, Any]:
    """The least an SDK needs, and that a page's last events outlive it (``keepalive``).

    No integration beside ``Segment.io``: for any other the browser SDK would fetch
    code that is not here. ``protocol`` is read by the browser SDK, phones always use https.
    """
    everything = {"__default": {"enabled": True, "integrations": {}}}
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": api_host,
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "deliveryStrategy": {"config": {"keepalive": True}},
            }
        },
        "plan": {
            "track": everything,
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "middlewareSettings": {"routingRules": []},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": False,
    }


def _asked(scope: Message, headers: dict[bytes, bytes]) -> str:
    """The URL that the client asked, without a path."""
    host = headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        address = scope.get("server") or ("127.0.0.1", None)
        host = f"{address[0]}:{address[1]}".encode() if address[1] else str(address[0]).encode()
    return f"{scope.get('scheme', 'http')}://{host.decode()}"


def _tagged(body: bytes, tag: bytes, headers: dict[bytes, bytes], *more: Header) -> Answer:
    """A body with its tag; 304 without it for whom has it already."""
    tagged = ((b"etag", tag), *more)
    if tag in headers.get(b"if-none-match", b""):
        return Answer(NOT_MODIFIED, tagged, b"")
    return answer(OK, body, *tagged)


def _tag(body: bytes) -> bytes:
    return b'W/"' + xxhash.xxh3_64_hexdigest(body).encode() + b'"'


def _gzip(plain: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, _GZIP_WINDOW)
    return squeezer.compress(plain) + squeezer.flush()
