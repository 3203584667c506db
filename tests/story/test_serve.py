"""The processes of `cauce serve` come back when they die, and go when it goes."""

import shutil
import signal
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.story.command import cauce, succeed
from tests.story.serving import PATIENCE, send, served, until

ANN = {"type": "identify", "userId": "ann-7", "traits": {"plan": "gold"}}
FREE_PORTS = {"CAUCE_COLLECTOR__PORT": "0", "CAUCE_API__PORT": "0"}


class Space(NamedTuple):
    """A space and its write key."""

    root: Path
    write_key: str


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Space:
    root = tmp_path_factory.mktemp("serve") / "space"
    return Space(root, succeed("init", root, "--json").json["write_key"])


@pytest.fixture
def space(made: Space, tmp_path: Path) -> Space:
    """A space of its own for each test, with the same key."""
    return made._replace(root=Path(shutil.copytree(made.root, tmp_path / "space")))


def test_a_space_is_served_once_and_a_port_once(space):
    other = Path(shutil.copytree(space.root, space.root.parent / "other"))
    with served(space.root) as first:
        second = cauce("serve", "--space", space.root, **FREE_PORTS)
        assert second.code == 4
        assert f"served already, by process {first.process.pid}" in second.err
        taken = first.collector.rpartition(":")[2]
        refused = cauce("serve", "--space", other, CAUCE_COLLECTOR__PORT=taken)
        assert refused.code == 4
        assert "the port is taken" in refused.err


def test_children_that_die_are_started_again_and_keep_to_the_rules(space):
    with served(space.root) as now:
        assert send(now.collector, space.write_key, ANN).status_code == 200
        killed = now.children()
        assert killed.keys() == {"collector", "worker", "api"}
        for child in killed.values():
            child.kill()
        assert send(now.collector, space.write_key, ANN).status_code == 200  # it waited in the socket's queue
        until(lambda: _folded(space) == 2, "the fold")
        until(lambda: now.children().keys() == killed.keys(), "all children")
        assert not {child.pid for child in now.children().values()} & {one.pid for one in killed.values()}
        assert any("ended with code -9" in message["message"] for message in now.messages())
    rules = space.root / "definitions/identity/person.yaml"
    rules.write_text(rules.read_text().replace("limit: 5", "limit: 4"))
    with served(space.root) as again:
        assert send(again.collector, space.write_key, ANN).status_code == 200
        told = [message["message"] for message in again.messages()]
        assert any("the folder differs from version 1, which is in force" in message for message in told)
        until(lambda: _folded(space) == 3, "the fold under the version that is in force")


def _folded(space: Space) -> int:
    folded: int = succeed("log", "stats", "--json", "--space", space.root).json["folded"]
    return folded


def test_children_go_when_the_supervisor_is_killed_and_it_can_serve_again(space):
    with served(space.root) as now:
        children = now.children()
        now.process.kill()
        now.process.wait(PATIENCE)
    ports = {"CAUCE_COLLECTOR__PORT": now.collector.rpartition(":")[2]}
    with served(space.root, **ports) as again:
        until(lambda: not any(map(_lives, children.values())), "the orphans to end")
        assert send(again.collector, space.write_key, ANN).status_code == 200
        children = again.children()
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(PATIENCE) == 0
        assert not any(map(_lives, children.values()))


def _lives(process: psutil.Process) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_missing_secret_ends_serve_with_its_reason(space):
    (space.root / "definitions/destinations/crm.yaml").write_text(
        "name: crm\nowner: a\nkind: webhook\nurl: https://crm.example.org/\nsecret: env:NO_SUCH_SECRET\n"
    )
    ended = cauce("serve", "--space", space.root, **FREE_PORTS)
    assert ended.code == 2
    assert "NO_SUCH_SECRET" in ended.err
