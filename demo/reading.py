"""Reading the result back through Cauce's public doors: the API and the command line."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from cauce.vocabulary.errors import CauceError, Transient
from demo.chronicle import LIVE_SOURCES
from demo.player import Played
from demo.receiver import Inbox
from demo.report import RowsIn, SegmentRow
from demo.space import DemoSpace, run_cauce

SETTLE_SECONDS = 120.0
POLL_SECONDS = 0.2
PURPOSE = "operations"

_UNSETTLED = ("queued", "sending", "retrying", "unknown")
_MANY = 1_000_000
_SOME = 3


class Imported(NamedTuple):
    """What ``cauce import --json`` printed for a file."""

    file: str
    read: int
    accepted: int
    duplicate: int
    quarantined: int
    events: int


class Reading:
    """Reads from the running space with its API key."""

    def __init__(self, space: DemoSpace) -> None:
        self._root = str(space.root)
        self._api = httpx.Client(
            base_url=f"{space.api}/api/v1",
            headers={"Authorization": f"Bearer {space.api_key}"},
            params={"purpose": PURPOSE},
            timeout=30,
            trust_env=False,
        )

    def wait_until_settled(self) -> None:
        """Wait until all of the log is folded and every delivery has come to its end.

        Raises ``Transient`` after ``SETTLE_SECONDS``.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            if self._settled():
                return
            time.sleep(POLL_SECONDS)
        raise Transient("The log is not folded and told in time.", hint="Look at `cauce log stats`.")

    def _settled(self) -> bool:
        if self._get("/positions")["lag"]:
            return False
        return not any(self._get("/deliveries", state=state, limit=1)["data"] for state in _UNSETTLED)

    def profiles(self, identifiers: Iterable[str]) -> dict[str, list[str]]:
        """Every profile that holds one of the identifiers ``type:value``: id → its identifiers."""
        found: dict[str, list[str]] = {}
        known: set[str] = set()
        for name in identifiers:
            if name not in known and (profile := self._profile(name)) is not None:
                members = [f"{one['type']}:{one['value']}" for one in profile["identifiers"]]
                found[profile["profile_id"]] = members
                known.update(members)
        return found

    def _profile(self, name: str) -> Any:
        return self._get(f"/profiles/{quote(name, safe=':@')}", absent=(404,))

    def rows_in(self, played: Played, imported: Iterable[Imported]) -> list[RowsIn]:
        """Per source of the tracking API and per file: what was sent, and what the log took.

        What was sent and is neither in the log nor in quarantine was a duplicate.
        """
        logged = self._count("log", "show")
        refused = self._count("quarantine", "list")
        live = [
            RowsIn(
                source,
                "tracking API",
                played.calls[source],
                logged[source],
                played.calls[source] - logged[source] - refused[source],
                refused[source],
            )
            for source in LIVE_SOURCES
        ]
        files = [
            RowsIn(
                one.file.split(".")[0], "cauce import", one.read, one.accepted, one.duplicate, one.quarantined
            )
            for one in imported
        ]
        return live + files

    def _count(self, *command: str) -> Counter[str]:
        """How many lines of a command's JSON belong to each source."""
        lines = run_cauce([*command, "--json", "--limit", str(_MANY), "--space", self._root]).splitlines()
        return Counter(json.loads(line)["source"] for line in lines)

    def segments(self, inbox: Inbox) -> list[SegmentRow]:
        """The segments, some of their members, and what the receiver was told of each."""
        told = inbox.told()
        return [self._segment(one, told) for one in self._get("/segments")["data"]]

    def _segment(self, one: dict[str, Any], told: Counter[tuple[str, str]]) -> SegmentRow:
        key = one["key"]
        members = self._get(f"/segments/{key}/members", limit=_SOME)["data"]
        telling = bool(one["destinations"])
        return SegmentRow(
            key,
            one["name"],
            one["members"],
            [f"{member['identifiers'][0]['value']}" for member in members],
            told[key, "Audience Entered"] if telling else None,
            told[key, "Audience Exited"] if telling else None,
        )

    def _get(self, path: str, *, absent: tuple[int, ...] = (), **parameters: int | str) -> Any:
        """The decoded answer; None for a status in ``absent``. Raises ``CauceError`` for any other fault."""
        try:
            answer = self._api.get(path, params=parameters)
        except httpx.TransportError as error:
            raise Transient("The API does not answer.", hint="Look at serve.log in the space.") from error
        if answer.status_code in absent:
            return None
        if answer.status_code != 200:
            raise CauceError(f"The API answers {answer.status_code} for {path}.", hint=answer.text[:200])
        return answer.json()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
