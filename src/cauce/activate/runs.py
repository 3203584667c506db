"""Runs: where the files of a destination, or the comparisons of a table, stand."""

from enum import StrEnum

import msgspec

from cauce.activate.records import destination_run
from cauce.storage.records import Reader, Transaction
from cauce.vocabulary.moment import Moment


class Phase(StrEnum):
    """How far a run has come; what a killed process left is taken up at that point."""

    IDLE = "idle"
    COLLECTING = "collecting"
    WRITING = "writing"
    SETTLING = "settling"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of a destination; the fields are the columns of ``destination_run``, in their order."""

    destination: str
    phase: Phase
    number: int
    due: Moment
    done: Moment | None = None
    entries: int = 0
    name: str = ""
    error: str = ""


def read_run(reader: Reader, destination: str) -> Run | None:
    """The newest run of a destination; None before the first."""
    found = reader.rows(destination_run, "destination", [destination])
    return msgspec.convert(dict(zip(Run.__struct_fields__, found[0], strict=True)), Run) if found else None


def store_run(transaction: Transaction, run: Run) -> None:
    """Write down where a run stands."""
    row = list(msgspec.structs.astuple(run))
    row[1] = str(run.phase)
    transaction.put(destination_run, [tuple(row)])
