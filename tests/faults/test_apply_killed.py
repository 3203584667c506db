"""kill -9 at any moment of applying leaves the version before or the new one, whole; the state follows."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from cauce.app.applying import apply, take_in
from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.new_space import make_space
from cauce.app.pipeline import VERSION
from cauce.govern.access import Scope
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.definitions import SourceDef, SourceKind
from cauce.vocabulary.definitions.canonical import Key, canonical, contents
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.moment import Moment, now
from tests.property.small_company import tables

ANALYST = Viewer("analyst", frozenset(Scope))
PEOPLE = 1_500
WRITTEN = "- {{key: s{n}, owner: o, anonymous: true, rule: \"event('E{n}').count() >= 1\"}}\n"


def made(folder: Path) -> Path:
    """A new space without segments."""
    root = folder / "space"
    make_space(root, now=now())
    for file in (root / "definitions/segments").glob("*.yaml"):
        file.unlink()
    return root


def fill(composition: Composition, at: Moment) -> None:
    """Everybody does one of four things."""
    events = [
        Accepted(
            message_id=f"m{n}",
            time=at,
            call=Call.TRACK,
            name=f"E{n % 4}",
            source="web",
            body=f'{{"type":"track","event":"E{n % 4}","userId":"u{n}"}}'.encode(),
        )
        for n in range(PEOPLE)
    ]
    composition.log.append(events, [], now=at)


def in_force(root: Path, at: Moment) -> tuple[int, dict[str, int]]:
    """Start as a worker does: the version that the state has then, and the sizes of its segments."""
    composition = Composition(root)
    applied = bring_into_force(composition, lambda: at).renewed()
    with applied.state.read() as reader:
        assert reader.progress(VERSION) == applied.applied
    kept = applied.versions.contents(applied.applied)
    assert applied.versions.version(applied.applied).hash == applied.versions.all()[-1].hash
    assert {key.name for key in kept if key.kind == "segments"} == set(applied.segments.sizes())
    return applied.applied, dict(applied.segments.sizes())


def test_a_kill_leaves_one_version_whole(tmp_path: Path) -> None:
    root = made(tmp_path)
    at = now()
    composition = Composition(root)
    fill(composition, at)
    apply(composition, composition.folder_definitions(), at=None, now=at, viewer=ANALYST)
    composition = bring_into_force(composition.renewed(), now)
    while composition.worker(now).step():
        pass
    rng = random.Random(20261122)
    wanted, outcomes = 0, set()
    for attempt in range(12):
        wanted = attempt % 4
        (root / "definitions/segments/all.yaml").write_text(
            "".join(WRITTEN.format(n=n) for n in range(wanted + 1))
        )
        before = composition.versions.latest()
        killed = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.apply_process", str(root)], stdout=subprocess.PIPE
        )
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"begun\n"
        time.sleep(rng.uniform(0, 0.35))
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        version, sizes = in_force(root, now())
        assert version in (before, before + 1)
        outcomes.add(version - before)
        if version > before:
            assert sizes == {f"s{n}": PEOPLE // 4 for n in range(wanted + 1)}
    assert outcomes == {0, 1}, "the kills hit only one side of the moment"
    _equals_undisturbed(composition.renewed(), tmp_path)


def _equals_undisturbed(composition: Composition, folder: Path) -> None:
    """Timelines and members are those of a space that had the last definitions from the start."""
    fresh = Composition(made(folder / "undisturbed"))
    kept = contents(composition.definitions)
    fresh.versions.add(kept, base=0, now=now(), viewer=ANALYST)
    for row in composition.log.read(Position(0), PEOPLE):
        event = Accepted(
            message_id=row.message_id,
            time=row.time,
            call=row.call,
            name=row.name,
            source=row.source,
            body=row.body,
        )
        fresh.log.append([event], [], now=row.received)
    fresh = bring_into_force(fresh.renewed(), now)
    while fresh.worker(now).step():
        pass
    mine, others = tables(composition.state), tables(fresh.state)
    assert mine["timeline"] == others["timeline"]
    assert [row[:2] for row in mine["membership"]] == [row[:2] for row in others["membership"]]


def test_of_two_who_apply_at_once_one_wins(tmp_path: Path) -> None:
    root = made(tmp_path)
    first = Composition(root)
    apply(first, first.folder_definitions(), at=None, now=now(), viewer=ANALYST)
    start = threading.Barrier(8)
    won: list[int] = []
    lost: list[str] = []

    def compete(number: int) -> None:
        composition = Composition(root)
        source = SourceDef(name=f"s{number}", owner="o", kind=SourceKind.WEB)
        kept = contents(composition.definitions) | {Key("sources", source.name): canonical(source)}
        start.wait()
        try:
            version = composition.versions.add(kept, base=1, now=now(), viewer=ANALYST)
        except Conflict as refusal:
            lost.append(refusal.code)
        else:
            assert version is not None
            won.append(version.number)

    threads = [threading.Thread(target=compete, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [2]
    assert lost == ["version_moved_on"] * 7
    assert take_in(first, 2, now, wait_seconds=0)
