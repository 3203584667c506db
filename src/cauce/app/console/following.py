"""The space as it is now: its definitions are read again when another version is applied or in force."""

from threading import Lock

from cauce.app.compose import Composition
from cauce.app.pipeline import VERSION


class Following:
    """Gives the composition that fits what is applied and in force. Any thread may ask."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition
        self._lock = Lock()
        self._versions = self._stored()

    def _stored(self) -> tuple[int, int]:
        with self._composition.state.read() as reader:
            return self._composition.versions.latest(), reader.progress(VERSION)

    def now(self) -> Composition:
        """The composition under the versions of this moment."""
        with self._lock:
            stored = self._stored()
            if stored != self._versions:
                self._composition, self._versions = self._composition.renewed(), stored
            return self._composition
