"""Secrets: what definitions refer to and never hold."""

from collections.abc import Mapping
from pathlib import Path

from cauce.vocabulary.errors import BadSettings


class Secret:
    """A secret in an environment variable or a file; one in a file is read anew when the file changes."""

    __slots__ = ("_path", "_seen", "_value")

    def __init__(self, value: bytes = b"", path: Path | None = None) -> None:
        self._value = value
        self._path = path
        self._seen = 0
        if path is not None:
            self.read()

    def read(self) -> bytes:
        """The secret as it is now; the one before if the file cannot be read or is empty."""
        if self._path is not None:
            try:
                changed = self._path.stat().st_mtime_ns
                if changed != self._seen:
                    self._value = self._path.read_bytes().strip() or self._value
                    self._seen = changed
            except OSError:
                pass  # it may be in the middle of being replaced
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


def find_secret(
    reference: str, *, who: str, what: str, environment: Mapping[str, str], folder: Path
) -> Secret:
    """The secret that ``env:VARIABLE`` or ``file:PATH``, relative to ``folder``, refers to.

    Raises ``BadSettings``, naming ``who`` misses ``what``, if it is missing or empty.
    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        secret = Secret(environment.get(where, "").strip().encode())
        hint = f"Set the environment variable {where} to the {what}."
    else:
        secret = Secret(path=folder / where)
        hint = f"Put the {what} into the file {where}."
    if not secret.read():
        noun = what.partition(" that ")[0]
        raise BadSettings(f"Destination {who} has no {noun}: {reference} is missing or empty.", hint=hint)
    return secret
