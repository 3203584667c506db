"""One record of a file as written, whatever the format."""

from typing import Any, NamedTuple


class Record(NamedTuple):
    """A record: the cells of the wanted columns, or the reason why it cannot be read.

    ``line`` is the number of its first physical line, from 1; ``raw`` its bytes
    without the last line feed. ``content`` is equal for records that are equal
    in all columns. ``cells`` follow the order of the wanted columns. ``reason``
    is empty for a good record.
    """

    line: int
    raw: bytes
    content: tuple[str, ...] = ()
    cells: list[Any] = []
    reason: str = ""
    detail: str = ""
