"""Reading a long file in several processes: pieces of whole records become events side by side.

A piece ends where a line ends and the quotes before it are even in number. That is
the end of a record unless a cell is written wrongly, and then the records of the
piece show it: from that piece on the file is read in one go, so the result is always
that of one process.
"""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cauce.collect.files.convert import Convert
from cauce.collect.files.csv_records import header_of
from cauce.collect.files.line_maker import LineMaker
from cauce.collect.files.mapping import Mapping
from cauce.collect.files.mapping.model import FileType
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.rows import BadRow, Row, converters, read_rows
from cauce.collect.files.stream import FileBytes
from cauce.collect.settings import CollectSettings
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.moment import Moment

PIECE = 1 << 18
"""Bytes of a piece, about: so few that all processes end at about the same time."""

WORTH_BYTES = 4 << 20
"""A file of fewer bytes is read sooner than processes start."""

_LONGEST = 1 << 25

Made = Accepted | BadRow


class Work(NamedTuple):
    """What a process must know to make events of a piece."""

    mapping: Mapping
    source: str
    settings: CollectSettings
    received: Moment


class _Piece(NamedTuple):
    first_line: int
    data: bytes


_Waiting = deque[tuple[_Piece, "Future[list[Made] | None]"]]


class _InMemory(FileBytes):
    """Bytes that were read already, as if they were a file."""

    def __init__(self, name: Path, pieces: Iterator[bytes], origin: FileBytes | None = None) -> None:
        self.path = name
        self.total = self.done = 0
        self._pieces = pieces
        self._origin = origin

    @property
    def problem(self) -> str:  # type: ignore[override]
        """What is wrong with the file that the bytes come from."""
        return self._origin.problem if self._origin else ""

    def chunks(self) -> Iterator[bytes]:
        """The bytes."""
        return self._pieces


def fits(mapping: Mapping, path: Path) -> bool:
    """Whether a file can be read so, and is long enough to be worth it."""
    lines = mapping.format.type in (FileType.CSV, FileType.JSONL)
    alone = not mapping.group_by and not mapping.keep_repeated
    return lines and alone and path.stat().st_size >= WORTH_BYTES


def made_side_by_side(
    data: FileBytes, work: Work, pool: ProcessPoolExecutor, processes: int
) -> Iterator[Sequence[Made]]:
    """What the rows of a file make, in their order, some thousand at a time.

    ``data`` tells its progress and its problem as if it were read here. Raises
    ``InvalidInput`` as ``read_rows`` does.
    """
    chunks = data.chunks_utf8()
    mapping, first_line, carry = _with_header(data, work.mapping, chunks)
    work = work._replace(mapping=mapping)
    cutter = _Cutter(chunks, carry, first_line, mapping.format.quote)
    waiting: _Waiting = deque()
    for piece in cutter:
        if sum(1 for _, future in waiting if not future.done()) <= 2 * processes:
            future = pool.submit(_made, data.path, piece, work)
        else:  # all are busy, or still starting: this process lends a hand
            future = Future()
            future.set_result(_made(data.path, piece, work))
        waiting.append((piece, future))
        if not (yield from _given(waiting, 4 * processes)):
            break
    else:
        yield from _given(waiting, 0)
    rest = [piece for piece, _ in waiting]
    line = rest[0].first_line if rest else cutter.line
    left = (part for part in (*(piece.data for piece in rest), cutter.carry, *chunks) if part)
    remainder = _InMemory(data.path, left, data)
    maker = LineMaker(mapping, work.source, work.settings, work.received)
    batch: list[Made] = []
    for row in read_rows(remainder, mapping):
        batch.append(_moved(maker.of(row, row.content if isinstance(row, Row) else ()), line - 1))
        if len(batch) >= 1_000:
            yield batch
            batch = []
    yield batch


def _given(waiting: _Waiting, most: int) -> Generator[list[Made], None, bool]:
    """Give what is made in the order of the pieces, and wait while more than ``most`` of them are waiting.

    False, and the piece stays, if one of them may not hold whole records.
    """
    while waiting and (len(waiting) > most or waiting[0][1].done()):
        made = waiting[0][1].result()
        if made is None:
            return False
        waiting.popleft()
        yield made
    return True


def _with_header(data: FileBytes, mapping: Mapping, chunks: Iterator[bytes]) -> tuple[Mapping, int, bytes]:
    """The mapping with the names of the columns, the first line after them, and bytes read too far."""
    if mapping.format.type is FileType.JSONL or isinstance(mapping.format.header, tuple):
        return mapping, 1, b""
    beginning = next(chunks, b"")
    names, lines, rest = header_of(_InMemory(data.path, iter([beginning])), mapping.format, beginning)
    return replace(mapping, format=replace(mapping.format, header=names)), lines + 1, rest


class _Cutter:
    """Cuts bytes into pieces at ends of lines; ``carry`` is what no piece has yet, from ``line`` on."""

    def __init__(self, chunks: Iterator[bytes], carry: bytes, line: int, quote: str) -> None:
        self._chunks = chunks
        self._quote = quote.encode() if quote.isascii() else b""
        self.carry = carry
        self.line = line

    def __iter__(self) -> Iterator[_Piece]:
        for chunk in self._chunks:
            self.carry += chunk
            if len(self.carry) > _LONGEST:
                return  # a line or a quoted cell that does not end: not for pieces
            if len(self.carry) >= PIECE and (end := self._end()):
                piece = _Piece(self.line, self.carry[:end])
                self.carry = self.carry[end:]
                self.line += piece.data.count(b"\n")
                yield piece

    def _end(self) -> int:
        """Where the last line ends before which quotes are even; 0 if there is none."""
        end = self.carry.rfind(b"\n") + 1
        if not self._quote:
            return end
        odd = self.carry.count(self._quote, 0, end) % 2
        while end and odd:
            before = self.carry.rfind(b"\n", 0, end - 1) + 1
            odd ^= self.carry.count(self._quote, before, end) % 2
            end = before
        return end


_kept: tuple[Work, LineMaker, list[Convert]] | None = None


def _made(path: Path, piece: _Piece, work: Work) -> list[Made] | None:
    """What the rows of a piece make; None if it may not hold whole records."""
    global _kept
    if _kept is None or _kept[0] != work:
        maker = LineMaker(work.mapping, work.source, work.settings, work.received)
        _kept = (work, maker, converters(work.mapping))
    _, maker, converts = _kept
    found: list[Made] = []
    for row in read_rows(_InMemory(path, iter([piece.data])), work.mapping, converts):
        if isinstance(row, BadRow) and row.reason == FileReason.MALFORMED_CSV:
            return None
        content = row.content if isinstance(row, Row) else ()
        found.append(_moved(maker.of(row, content), piece.first_line - 1))
    return found


def _moved(made: Made, lines: int) -> Made:
    return made._replace(line=made.line + lines) if isinstance(made, BadRow) else made
