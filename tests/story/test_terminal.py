"""What a person sees at a terminal: progress of an import, events as they arrive."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.story.command import CAUCE, environment, succeed

MAPPING = """\
owner: data@example.org
source: web
format: csv
columns: {id: text}
events:
  - {call: track, event: Seen, user_id: id, time: {constant: "2026-01-01T00:00:00Z"}}
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    root = tmp_path / "space"
    succeed("init", root)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    return root


def bring(space: Path, lines: int) -> list[str]:
    file = space.parent / "seen.csv"
    file.write_text("id\n" + "".join(f"u{number}\n" for number in range(lines)))
    mapping = str(space.parent / "mapping.yaml")
    return [str(CAUCE), "import", str(file), "--mapping", mapping, "--space", str(space), "--json"]


def test_an_import_shows_rate_and_time_left_on_a_terminal_only(space):
    seen, terminal = pty.openpty()
    variables = environment(TERM="xterm", COLUMNS="120")
    done = subprocess.run(
        bring(space, 25_000), stdout=subprocess.PIPE, stderr=terminal, env=variables, check=True
    )
    os.close(terminal)
    shown = os.read(seen, 100_000).decode()
    os.close(seen)
    assert "importing" in shown
    assert "lines" in shown
    assert "/s" in shown
    assert json.loads(done.stdout)["accepted"] == 25_000
    quiet = subprocess.run(bring(space, 25_000), capture_output=True, env=environment(), check=True)
    assert quiet.stderr == b""
    assert json.loads(quiet.stdout)["duplicate"] == 25_000


def test_events_are_followed_until_ctrl_c(space):
    command = [CAUCE, "log", "follow", "--space", str(space), "--after", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as following:
        assert following.stdout is not None
        subprocess.run(bring(space, 3), stdout=subprocess.DEVNULL, env=environment(), check=True)
        rows = [json.loads(following.stdout.readline()) for _ in range(3)]
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 0
    assert [row["position"] for row in rows] == [1, 2, 3]
