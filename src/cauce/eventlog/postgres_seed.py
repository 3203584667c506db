"""What ties a log on PostgreSQL to its folder of sealed files: the seed of the fingerprints.

A wrong URL or schema would otherwise give one log the files of another, and sealing
would remove them as strays.
"""

import secrets
from pathlib import Path
from uuid import uuid4

from cauce.eventlog.content import id_print
from cauce.eventlog.database import FOLDER
from cauce.eventlog.postgres_statements import Statements
from cauce.storage.postgres_connection import Connection
from cauce.vocabulary.errors import Conflict

_MARK = "_log"
"""The file in the folder that says which log it belongs to, without telling the seed."""


def seed_of(connection: Connection, sql: Statements, folder: Path) -> int:
    """The seed of a log, chosen when it is new; raises ``Conflict`` if the folder is another log's."""
    found = connection.execute(sql.fixed, ("seed",)).fetchone()
    if found is None:
        if any(folder.glob("*.parquet")):
            raise _foreign("the log on PostgreSQL is new, and the folder holds sealed files")
        connection.execute(sql.fix_once, ("seed", secrets.randbits(63)))
        found = connection.execute(sql.fixed, ("seed",)).fetchone()
    assert found is not None, "it was written just now"
    seed = int(found[0])
    _check_mark(folder, f"{id_print('folder of sealed files', seed):016x}\n")
    return seed


def _check_mark(folder: Path, mark: str) -> None:
    file = folder / _MARK
    if not file.exists():
        folder.mkdir(exist_ok=True)
        made = folder / f"{_MARK}.{uuid4().hex}.tmp"
        made.write_text(mark)
        made.replace(file)
    if file.read_text() != mark:
        raise _foreign("the folder belongs to another log")


def _foreign(why: str) -> Conflict:
    return Conflict(
        f"{FOLDER}/ and the log on PostgreSQL do not belong together: {why}.",
        hint="Check store.url and store.schema; `cauce migrate` moves a space.",
        code="other_log",
    )
