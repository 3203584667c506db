"""What people see of sealed files: how much of them a preview read, and what each holds."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.eventlog.seal import seal
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.moment import SECOND, Moment, now
from tests.story.command import succeed
from tests.story.serving import served

EVENTS = 3_000
IN_A_FILE = 1_000
BUYERS = 7
RULE = "event('Order Completed').count() >= 1"
TOLD = re.compile(r"Read ([\d,]+) of ([\d,]+) bytes in sealed files, 1 of 3 files\.")


class Sealed(NamedTuple):
    """A space with three sealed files; only the first holds orders. And its API key."""

    root: Path
    api_key: str

    def preview(self, *options: str) -> Any:
        return succeed("segment", "preview", "--rule", RULE, *options, "--space", self.root)

    def files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = succeed("log", "files", "--json", "--space", self.root).json
        return found


def event(number: int) -> Accepted:
    name = "Order Completed" if number < BUYERS else f"Page {number // 100}"
    body = {"userId": f"u{number}", "event": name, "type": "track", "properties": {"note": "x" * 100}}
    return Accepted(
        message_id=f"m{number}",
        time=Moment(1_700_000_000 * SECOND + number),
        call=Call.TRACK,
        name=name,
        source="web",
        body=json.dumps(body).encode(),
    )


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    root = tmp_path_factory.mktemp("sealed") / "space"
    key = succeed("init", root, "--json").json["api_key"]
    composition = Composition(root)
    composition.log.append([event(number) for number in range(EVENTS)], [], now=now())
    follow_definitions(composition.pipeline, composition.log, composition.normalization)
    worker = composition.worker(now)
    while worker.step():
        pass
    plan = composition.plan
    made = seal(root, Position(EVENTS), plan.how, plan=plan, rows_per_file=IN_A_FILE)
    assert len(made) == EVENTS // IN_A_FILE
    composition.log.close()
    composition.state.close()
    return Sealed(root, key)


def test_a_preview_says_how_much_it_read_where_it_is_asked_to(space: Sealed) -> None:
    found = space.preview("--explain", "--json").json
    effort = found["effort"]
    assert found["members"] == BUYERS
    assert (effort["files_read"], effort["files_sealed"]) == (1, 3)
    assert effort["bytes_sealed"] == sum(one["size"] for one in space.files())
    assert 0 < effort["bytes_read"] < effort["bytes_sealed"]
    assert "effort" not in space.preview("--json").json


def test_a_preview_says_in_words_how_much_it_read(space: Sealed) -> None:
    effort = space.preview("--explain", "--json").json["effort"]
    told = TOLD.search(space.preview("--explain").out)
    assert told is not None
    figures = [int(one.replace(",", "")) for one in told.groups()]
    assert figures == [effort["bytes_read"], effort["bytes_sealed"]]
    assert "sealed files" not in space.preview().out


def test_the_api_lists_sealed_files_as_the_command_line_does(space: Sealed, tmp_path: Path) -> None:
    root = Path(shutil.copytree(space.root, tmp_path / "space"))
    made = succeed("key", "create", "api", "w", "--scope", "write", "--json", "--space", root)
    writer = made.json["secret"]
    with served(root) as running:

        def ask(key: str = space.api_key, **asked: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            url = f"{running.api}/api/v1/log/files"
            return httpx.get(url, params=asked, headers=headers, timeout=30, trust_env=False)

        expected = space._replace(root=root).files()
        page = ask(statistics=True).json()
        assert page["cursor"] == {"next": None, "has_more": False, "limit": 100}
        assert [without(one, "last_received") for one in page["data"]] == [
            without(one, "last_received") for one in expected
        ]
        assert page["data"][0]["statistics"]["names"]["Order Completed"]["events"] == BUYERS
        assert all(one["last_received"].endswith("Z") for one in page["data"])

        first = ask(limit=2).json()
        assert [one["statistics"] for one in first["data"]] == [None, None]
        rest = ask(limit=2, cursor=first["cursor"]["next"]).json()
        assert [one["file"] for one in first["data"] + rest["data"]] == [one["file"] for one in expected]
        assert rest["cursor"]["next"] is None

        assert (ask(key="nobody").status_code, ask(key=writer).status_code) == (401, 403)
        assert ask(cursor=-1).status_code == 400


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}
