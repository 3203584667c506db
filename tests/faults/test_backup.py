"""A backup is taken under load and brought back; what is damaged is found, named and mended."""

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cauce.app.compose import Composition
from cauce.vocabulary.moment import now
from demo.load import batches
from tests.faults.endurance import BATCH, SEGMENTS, Sender, compare, logged_once, opened, wait_for_the_worker
from tests.story.command import cauce, succeed
from tests.story.serving import send, served, until

SMALL_RANGES = {"CAUCE_WORKER__SEAL_EVENTS": "1000", "CAUCE_WORKER__HOT_EVENTS": "100"}


class Taken(NamedTuple):
    """A space, the backup taken of it while it was served, and what it had acknowledged before."""

    root: Path
    backup: Path
    key: str
    printed: dict[str, Any]
    acknowledged: set[str]


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> Taken:
    return backed_up(tmp_path_factory.mktemp("backup"))


def backed_up(folder: Path, **variables: str) -> Taken:
    """Serve a space under load and back it up meanwhile."""
    root, backup = folder / "space", folder / "copy"
    key = succeed("init", root, "--json", **variables).json["write_key"]
    (root / "definitions/segments/load.yaml").write_text(SEGMENTS)
    (root / "secrets").mkdir()
    (root / "secrets/crm").write_text("not for backups")
    bodies = batches(size=BATCH, people=300, seed=5, until=now(), days=1, repeats=0.02)
    with opened(root) as composition, served(root, **SMALL_RANGES, **variables) as serving:
        sender = Sender(serving.collector, key, bodies)
        sender.start()
        try:
            until(lambda: len(composition.log.sealed()) >= 2, "the worker to seal")
            acknowledged = set(sender.acknowledged)
            printed = succeed("backup", backup, "--space", root, "--json", **variables).json
        finally:
            sender.halt.set()
            sender.join()
    return Taken(root, backup, key, printed, acknowledged)


def test_a_backup_taken_under_load_becomes_a_space_that_goes_on(taken, tmp_path):
    go_on(taken, tmp_path)


def test_a_backup_of_a_space_on_postgresql_becomes_a_space_of_files(postgres, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        for name, value in postgres.variables.items():
            patched.setenv(name, value)
        taken = backed_up(tmp_path, **postgres.variables)
    go_on(taken, tmp_path)


def go_on(taken: Taken, folder: Path) -> None:
    """Restore, serve, send more, and compare with one undisturbed run."""
    restored = folder / "restored"
    succeed("restore", taken.backup, restored)
    with opened(restored) as composition:
        grow(composition, taken, folder)


def grow(composition: Composition, taken: Taken, folder: Path) -> None:
    restored = composition.space.root
    ids = logged_once(composition)
    assert len(ids) == taken.printed["head"]
    assert taken.acknowledged <= set(ids)
    assert 0 < taken.printed["folded"] <= taken.printed["head"]
    assert len(list((restored / "log").glob("*.parquet"))) >= 1
    assert not (restored / "secrets").exists()
    with served(restored, **SMALL_RANGES) as serving:
        again = {"type": "track", "event": "Page Viewed", "userId": "late", "messageId": ids[0]}
        new = {**again, "messageId": "after the backup"}
        assert send(serving.collector, taken.key, again, new).status_code == 200
        wait_for_the_worker(composition)
    assert composition.log.head() == len(ids) + 1
    compare(composition, folder)


def test_a_backup_needs_a_folder_of_its_own(taken, tmp_path):
    refused = cauce("backup", taken.backup, "--space", taken.root)
    assert (refused.code, "is not empty" in refused.err) == (4, True)
    (tmp_path / "copy.partial").mkdir()
    interrupted = cauce("backup", tmp_path / "copy", "--space", taken.root)
    assert (interrupted.code, "copy.partial is there" in interrupted.err) == (4, True)
    target = cauce("restore", taken.backup, taken.root)
    assert (target.code, "is not empty" in target.err) == (4, True)
    nothing = cauce("restore", tmp_path, tmp_path / "space")
    assert "is no backup" in nothing.err
    assert not (tmp_path / "space").exists()


def largest(folder: Path, pattern: str) -> Path:
    return max(folder.rglob(pattern), key=lambda file: file.stat().st_size)


@pytest.mark.parametrize("pattern", ["*.parquet", "state.db", "log.db", "cauce.yaml", "backup.json"])
@pytest.mark.parametrize("damage", ["truncated", "missing", "flipped"])
def test_a_damaged_backup_is_refused_naming_the_file(taken, tmp_path, pattern, damage):
    copy = Path(shutil.copytree(taken.backup, tmp_path / "copy"))
    file = largest(copy, pattern)
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        file.write_bytes(content[:middle] if damage == "truncated" else flipped)
    refused = cauce("restore", copy, tmp_path / "space")
    assert refused.code != 0
    assert file.name in refused.err
    assert not (tmp_path / "space").exists()


@pytest.mark.parametrize("damage", ["truncated", "missing", "flipped"])
def test_a_damaged_sealed_file_is_found_and_brought_back(taken, tmp_path, damage):
    space = Path(shutil.copytree(taken.root, tmp_path / "space"))
    names = {file.name for file in (taken.backup / "log").glob("*.parquet")}
    file = next(file for file in sorted((space / "log").glob("*.parquet")) if file.name in names)
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        os.truncate(file, len(content) // 2)
    else:
        file.write_bytes(content[:-200] + bytes(200))
    findings = {one["check"]: one for one in cauce("doctor", "--space", space, "--json").json}
    assert findings["sealed"]["level"] == "error"
    assert file.name in findings["sealed"]["message"]
    elsewhere = cauce("log", "repair", "--from", tmp_path, "--space", space, "--json")
    assert (elsewhere.code, elsewhere.json) == (1, {"brought_back": [], "still_missing": [file.name]})
    mended = succeed("log", "repair", "--from", taken.backup, "--space", space, "--json")
    assert mended.json == {"brought_back": [file.name], "still_missing": []}
    assert file.read_bytes() == content
    assert len(logged_once(Composition(space))) == Composition(space).log.head()
