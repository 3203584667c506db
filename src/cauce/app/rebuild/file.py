"""The file of all differences: a line of JSON for every row that is not the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cauce.app.rebuild.rows import Changed
from cauce.storage.records import Row, as_mapping
from cauce.vocabulary.exact import encode_json


@contextmanager
def difference_file(path: Path | None) -> Iterator[Callable[[Changed], None]]:
    """What writes each row that differs: table, and the row before and after; nothing without a path."""
    if path is None:
        yield lambda _: None
        return
    with path.open("wb") as file:
        path.chmod(0o600)

        def write(one: Changed) -> None:
            def row(values: Row | None) -> object:
                # SQLAlchemy's names are texts of its own kind, which JSON does not know
                return values and {f"{name}": value for name, value in as_mapping(one.table, values).items()}

            line = {"table": f"{one.table.name}", "before": row(one.before), "after": row(one.after)}
            file.write(encode_json(line) + b"\n")

        yield write
