"""Fragments as they will be where a trait keeps more of the past than it did, read from the log."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pyarrow.compute as pc
from msgspec.structs import replace
from sqlalchemy import Select, Table

from cauce.app.compose import Composition
from cauce.app.log_rows import log_rows
from cauce.eventlog.columns import signature
from cauce.identity.everybody import Whole
from cauce.profile.fragment import Fragment, assert_traits, decode, encode
from cauce.profile.records import fragment
from cauce.storage.records import Reader, Row
from cauce.vocabulary.event import Call, Position, read_event


class KeptAnew:
    """A view of the state whose fragments keep, of some traits, what other definitions ask for."""

    def __init__(self, reader: Reader, kept: dict[int, Fragment], traits: Collection[str]) -> None:
        self._reader = reader
        self._kept = kept
        self._traits = traits

    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """The rows of the state; fragments with their traits as they will be."""
        found = self._reader.rows(table, column, keys, **equal)
        return [self._as_kept(row) for row in found] if table is fragment else found

    def _as_kept(self, row: Row) -> Row:
        number, text = row
        stored = decode(text)
        kept = self._kept.get(number, {})
        anew = {name: kept[name] for name in self._traits if name in kept}
        rest = {name: cells for name, cells in stored.items() if name not in self._traits}
        return number, encode(rest | anew)

    def select(self, statement: Select[Any]) -> list[Row]:
        """The rows of any select over the state."""
        return self._reader.select(statement)

    def scan(self, statement: Select[Any]) -> Iterator[Row]:
        """The rows of any select over the state, streamed."""
        return self._reader.scan(statement)

    def progress(self, name: str) -> int:
        """How far a consumer has come."""
        return self._reader.progress(name)


def kept_anew(
    reader: Reader, upto: Position, after: Composition, people: Iterable[Whole], traits: Collection[str]
) -> Reader:
    """The state with what the events up to a position assert of some traits, kept as ``after`` asks."""
    owners = {signature(keys): number for one in people for number, keys in one.signatures.items()}
    kept: dict[int, Fragment] = {}
    for row in log_rows(after.log, upto, pc.field("call") == Call.IDENTIFY.value):
        event = read_event(row, after.normalization(row.source))
        asserted = {name: value for name, value in event.traits.items() if name in traits}
        number = owners.get(signature([str(identifier) for identifier in event.identifiers]))
        if asserted and number is not None:
            told = replace(event, traits=asserted)
            assert_traits(kept.setdefault(number, {}), told, after.profiles.keeps)
    return KeptAnew(reader, kept, traits)
