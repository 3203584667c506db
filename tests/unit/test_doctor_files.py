"""The doctor's checks of the disk, each also on a folder that is wrong."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cauce.app.doctor import files as doctor_files
from cauce.app.doctor.findings import Level
from cauce.app.space import Space

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    space = Space(tmp_path)
    space.control.write_bytes(b"")
    return space


def test_stores_that_everybody_can_read_are_told(space):
    space.root.chmod(0o755)
    space.control.chmod(0o644)
    found = doctor_files.privacy(space)
    assert found.level is Level.WARNING
    assert found.advice == f"chmod 700 {space.root}"
    space.root.chmod(0o700)
    assert doctor_files.privacy(space).level is Level.OK


@pytest.mark.parametrize(
    ("free", "level"), [(1 << 20, Level.ERROR), (1 << 30, Level.WARNING), (1 << 40, Level.OK)]
)
def test_a_full_disk_is_told(space, monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 41, 0, free))
    assert doctor_files.disk_space(space).level is level


def test_a_folder_that_cannot_be_written_is_told(space):
    gone = Space(space.root / "gone")
    found = doctor_files.durability(gone)
    assert found.level is Level.ERROR
    assert "No such file" in found.message
    assert doctor_files.durability(space).level is not Level.ERROR
    assert [file.name for file in space.root.iterdir()] == ["control.db"]


def test_old_versions_are_told(monkeypatch):
    assert doctor_files.versions().level is Level.OK
    monkeypatch.setattr(doctor_files.sqlite3, "sqlite_version_info", (3, 8, 0))
    assert doctor_files.versions().level is Level.ERROR


def test_the_option_that_names_a_space_can_be_typed():
    assert Space(Path("my space")).option == "--space 'my space'"
