"""A disk of a few megabytes, which a test fills and frees again."""

import errno
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PIECES = (1 << 20, 1 << 12)


class SmallDisk:
    """A file system of its own at ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no page free."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in _PIECES:
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Give back what ``fill`` took."""
        self._ballast.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """A disk in memory that everybody may enter; skips where no file system can be mounted, also in CI."""
    folder = Path(tempfile.mkdtemp(prefix="cauce-disk-"))
    options = f"size={megabytes}m,mode=0755"
    try:
        _mount(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)])
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


def _mount(command: list[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no small disk: there is no program `mount`")
    if done.returncode != 0:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
