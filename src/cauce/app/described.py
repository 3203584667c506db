"""Sealed files whose identifiers were made under another normalization, described anew while they are read.

Sealing writes identifiers beside each event as the definitions normalized them then. Under
others, compaction describes such files anew in time; whoever reads in bulk before that,
or under definitions that are only tried, reads files of their own. The log is left as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from cauce.eventlog.columns import PLAIN, SEALED
from cauce.eventlog.describe import Describer, Normalizer
from cauce.eventlog.plan import Plan
from cauce.eventlog.sealed import verify
from cauce.eventlog.snapshot import LogSnapshot, SealedFile
from cauce.vocabulary.errors import Transient

_BATCH = 8_192


@contextmanager
def described_anew(log: LogSnapshot, how: Normalizer, scratch: Path) -> Iterator[LogSnapshot]:
    """The snapshot with identifiers as ``how`` normalizes them in all of its sealed files.

    Those that have others, or of which nothing is known, are written anew to ``scratch``
    until the block ends. Raises ``Conflict`` (damaged_log) if one of them is not what was
    sealed, ``Transient`` if the disk is full.
    """
    plan = Plan(how)
    stale = [one for one in log.files if one.statistics is None or plan.stale(one.statistics)]
    if not stale:
        yield log
        return
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch) as folder:
        anew = {one.path: _written(one, how, Path(folder)) for one in stale}
        yield log._replace(files=[anew.get(one.path, one) for one in log.files])


def _written(file: SealedFile, how: Normalizer, folder: Path) -> SealedFile:
    """A copy of a sealed file without promoted columns, its rows described anew, in the same order."""
    verify(file.path, file.range)
    path = folder / file.path.name
    try:
        with pq.ParquetFile(file.path) as source, pq.ParquetWriter(path, SEALED) as target:
            for number in range(source.num_row_groups):
                rows = source.read_row_group(number, columns=PLAIN.names, use_threads=False)
                describer = Describer(how, (), often=0)
                for batch in rows.combine_chunks().to_batches(max_chunksize=_BATCH):
                    describer.add(batch)
                target.write_table(describer.done().rows.select(SEALED.names).cast(SEALED))
    except OSError as error:
        raise Transient(
            f"Sealed files cannot be described anew: {error.strerror or 'a file could not be written'}.",
            hint="Free disk space in the folder scratch of the space, and try again.",
        ) from error
    return SealedFile(path, file.range, None)
