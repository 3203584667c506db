"""Previews: who a rule would let in, found in bulk over the whole log without applying anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from cauce.app.described import described_anew
from cauce.app.pipeline import LOG
from cauce.eventlog.bulk import Wanted, log_parts
from cauce.eventlog.columns import signature
from cauce.eventlog.port import EventLog
from cauce.eventlog.promoted import PROPERTIES
from cauce.eventlog.snapshot import LogSnapshot
from cauce.identity.everybody import Whole
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.segment.bulk import BulkSource, compute, preview
from cauce.segment.bulk_fields import Events
from cauce.segment.live import LiveSegment
from cauce.storage.records import Reader
from cauce.vocabulary.event import Position
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language import ComputedTrait, Mentions
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

_MEMORY = "1GB"
_CHUNK = 5_000


class Effort(NamedTuple):
    """What a preview read: bytes of the sealed files out of all they have, and how many files out of all."""

    bytes_read: int
    bytes_sealed: int
    files_read: int
    files_sealed: int


class Bulk(NamedTuple):
    """What a preview reads: the log, who people are, and what is known of them."""

    log: EventLog
    identity: Identity
    profiles: Profiles
    normalization: Callable[[str], Normalization]
    scratch: Path
    """Where DuckDB may spill what does not fit into memory."""

    def members(self, reader: Reader, segment: LiveSegment, at: Moment) -> list[ProfileKey]:
        """The profiles a segment would have at a moment, ascending, as far as the log is folded.

        Traits are those of the state as it is, so ``at`` is the present or later.
        Raises ``Transient`` if memory or disk ran out.
        """
        return self.explained(reader, segment, at)[0]

    def explained(self, reader: Reader, segment: LiveSegment, at: Moment) -> tuple[list[ProfileKey], Effort]:
        """The same, and what it took to find out (as DuckDB measures it)."""
        with self._read(reader, segment.rule.mentions, segment.asks_for) as (lake, events, log):
            lake.execute("PRAGMA enable_profiling = 'no_output'")
            found = preview(segment.rule, at, BulkSource(lake, events))
            return found, _effort(lake, log)

    def values(self, reader: Reader, trait: ComputedTrait, at: Moment) -> dict[ProfileKey, Any]:
        """The value of a computed trait at a moment for everybody who has one, as far as the log is folded.

        It need not be in force: the events that it reads are those of the log.
        Raises ``Transient`` if memory or disk ran out.
        """
        with self._read(reader, trait.mentions, lambda _: True) as (lake, events, _):
            return compute(trait, at, BulkSource(lake, events))

    @contextmanager
    def _read(
        self, reader: Reader, mentions: Mentions, asked: Callable[[frozenset[str]], bool]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Events], LogSnapshot]]:
        """A DuckDB with people of the types asked for, and the traits and events that are mentioned."""
        config: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": str(self.scratch)}
        with closing(duckdb.connect(config=config)) as lake:
            people = list(self.identity.everybody(reader))
            _table(lake, "people", {"profile": pa.int64()}, [[p.profile] for p in people if asked(p.types)])
            traits = self._traits(reader, people, sorted(mentions.traits))
            _table(lake, "traits", {"profile": pa.int64(), "name": pa.string(), "value": pa.string()}, traits)
            upto = Position(reader.progress(LOG))
            with (
                self.log.snapshot(upto) as sealed,
                described_anew(sealed, self.normalization, self.scratch) as log,
            ):
                yield lake, self._events(lake, log, people, mentions.events), log

    def _traits(
        self, reader: Reader, people: Sequence[Whole], names: Sequence[str]
    ) -> Iterator[tuple[int, str, str]]:
        """The golden values that the rule reads, as JSON text."""
        for start in range(0, len(people) if names else 0, _CHUNK):
            chunk = people[start : start + _CHUNK]
            persons = self.profiles.persons(reader, {one.profile: list(one.signatures) for one in chunk})
            for profile, person in persons.items():
                for name in names:
                    value = person.trait(name)
                    if value is not None:
                        yield profile, name, encode_json(value).decode()

    def _events(
        self,
        lake: duckdb.DuckDBPyConnection,
        log: LogSnapshot,
        people: Sequence[Whole],
        mentioned: Mapping[str, frozenset[tuple[str, ...]]],
    ) -> list[Events]:
        """The events that are mentioned, each with the profile it belongs to."""
        owners = ((signature(keys), one.profile) for one in people for keys in one.signatures.values())
        _table(lake, "owners", {"signature": pa.int64(), "profile": pa.int64()}, owners)
        paths = frozenset((PROPERTIES, *path) for paths in mentioned.values() for path in paths)
        found = log_parts(lake, log, self.normalization, Wanted(frozenset(mentioned), paths))
        return [
            Events(
                f"(SELECT owners.profile, part.* FROM {part.sql} AS part JOIN owners USING (signature)"
                f" WHERE {part.where(mentioned)})",
                {path[1:]: columns for path, columns in part.typed.items()},
            )
            for part in found
        ]


def _effort(lake: duckdb.DuckDBPyConnection, log: LogSnapshot) -> Effort:
    """What the last query read."""
    measured = msgspec.json.decode(lake.get_profiling_information(format="json"))
    return Effort(
        bytes_read=measured["io"]["total_bytes_read"],
        bytes_sealed=sum(one.range.size for one in log.files),
        files_read=_files_read(measured["operator"]),
        files_sealed=len(log.files),
    )


def _files_read(operators: Sequence[Any]) -> int:
    """The files that scans of Parquet opened."""
    own = sum(int(one.get("extra_info", {}).get("Total Files Read", 0)) for one in operators)
    return own + sum(_files_read(one.get("children", [])) for one in operators)


def _table(lake: duckdb.DuckDBPyConnection, name: str, columns: dict[str, pa.DataType], rows: Any) -> None:
    """Give DuckDB a table of these rows."""
    schema = pa.schema(list(columns.items()))
    values: list[Any] = list(zip(*rows, strict=True)) or [[] for _ in columns]
    arrays = [pa.array(column, type_) for column, type_ in zip(values, columns.values(), strict=True)]
    lake.register(name, pa.Table.from_arrays(arrays, schema=schema))
