"""Previews: who a rule would let in, found in bulk over the whole log without applying anything."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cauce.app.pipeline import LOG
from cauce.eventlog.columns import carried, signature
from cauce.eventlog.port import EventLog
from cauce.identity.everybody import Whole
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.segment.bulk import BulkSource, preview
from cauce.segment.live import LiveSegment
from cauce.storage.records import Reader
from cauce.vocabulary.event import Call, Position
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

_CALLS = {call.value: call for call in Call}
_MEMORY = "1GB"
_CHUNK = 5_000


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
        config: dict[str, Any] = {"memory_limit": _MEMORY, "temp_directory": str(self.scratch)}
        with closing(duckdb.connect(config=config)) as lake:
            people = list(self.identity.everybody(reader))
            asked = [[one.profile] for one in people if segment.asks_for(one.types)]
            _table(lake, "people", {"profile": pa.int64()}, asked)
            traits = self._traits(reader, people, sorted(segment.rule.mentions.traits))
            _table(lake, "traits", {"profile": pa.int64(), "name": pa.string(), "value": pa.string()}, traits)
            self._events(lake, Position(reader.progress(LOG)), people, segment)
            return preview(segment.rule, at, BulkSource(lake))

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
        upto: Position,
        people: Sequence[Whole],
        segment: LiveSegment,
    ) -> None:
        """The events up to a position that the rule mentions, each with the profile it belongs to."""
        owners = ((signature(keys), one.profile) for one in people for keys in one.signatures.values())
        _table(lake, "owners", {"signature": pa.int64(), "profile": pa.int64()}, owners)
        files, hot = self.log.columns(upto)
        names = pa.array(sorted(segment.rule.mentions.events), pa.string())
        hot = hot.filter(pc.is_in(pc.utf8_normalize(hot["name"], form="NFC"), value_set=names))
        lake.register("hot", hot.append_column("signature", pa.array(self._signatures(hot), pa.int64())))
        columns = "signature, time, source, call, name, body"
        parts = [f"SELECT {columns} FROM hot"]
        if files:
            listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
            parts.append(f"SELECT {columns} FROM read_parquet([{listed}]) WHERE position <= {int(upto)}")
        lake.execute(
            "CREATE TEMPORARY VIEW events AS SELECT profile, time, source, call, name, body "
            f"FROM ({' UNION ALL '.join(parts)}) JOIN owners USING (signature)"
        )

    def _signatures(self, hot: pa.Table) -> Iterator[int | None]:
        """The signature of each row that is not sealed yet."""
        columns = (hot[name].to_pylist() for name in ("body", "call", "source"))
        for body, call, source in zip(*columns, strict=True):
            found = carried(body.encode(), _CALLS[call], self.normalization(source))
            yield signature([str(identifier) for identifier in found])


def _table(lake: duckdb.DuckDBPyConnection, name: str, columns: dict[str, pa.DataType], rows: Any) -> None:
    """Give DuckDB a table of these rows."""
    schema = pa.schema(list(columns.items()))
    values: list[Any] = list(zip(*rows, strict=True)) or [[] for _ in columns]
    arrays = [pa.array(column, type_) for column, type_ in zip(values, columns.values(), strict=True)]
    lake.register(name, pa.Table.from_arrays(arrays, schema=schema))
