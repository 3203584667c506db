"""The stores of a space as the first release left them, as SQL text: 60 events of a few people, folded."""

import sqlite3
from pathlib import Path

_TEXTS = Path(__file__).parent / "first_release"


def old_file(folder: Path, store: str) -> Path:
    """Write the file of a store (state, control or log) into a folder."""
    file = folder / f"{store}.db"
    connection = sqlite3.connect(file)
    connection.executescript((_TEXTS / f"{store}.sql").read_text())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return file
