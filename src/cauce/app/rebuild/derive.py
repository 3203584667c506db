"""Deriving a whole state in bulk, from the log to a new store.

    evidence → people → fragments and timelines → golden traits → memberships → timers

The result is that of folding the same events one by one and letting time pass to the
same moment, but for what only history knows: how people came together, and when
somebody entered a segment before this.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from sqlalchemy import Table

from cauce.app.described import described_anew
from cauce.app.log_past import facts_of
from cauce.app.pipeline import CLOCK, LOG, VERSION, Pipeline
from cauce.eventlog.bulk import log_relation
from cauce.eventlog.port import EventLog
from cauce.eventlog.snapshot import LogSnapshot
from cauce.identity.bulk import PEOPLE, TYPES, BulkIdentity, signed
from cauce.profile.bulk import TIMELINE, TRAITS, BulkProfiles, Definition
from cauce.profile.records import trait_version
from cauce.segment.bulk_memberships import BulkMemberships
from cauce.segment.records import membership, segment_version, timer
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment

_EVENTS = "rebuild_events"

Told = Callable[[str], None]
"""Is told what is done next, for whoever watches."""


class Resources(NamedTuple):
    """What the work may take: memory and threads of DuckDB, and where it may spill."""

    scratch: Path
    memory: str = "2GB"
    threads: int = 2

    @contextmanager
    def lake(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB of one's own."""
        config: dict[str, Any] = {
            "memory_limit": self.memory,
            "threads": self.threads,
            "temp_directory": str(self.scratch),
            "preserve_insertion_order": False,
        }
        with closing(duckdb.connect(config=config)) as connection:
            yield connection


class Derivation(NamedTuple):
    """From where to where: a pipeline over a new store, the log and how its identifiers are normalized."""

    pipeline: Pipeline
    log: EventLog
    normalization: Callable[[str], Normalization]
    resources: Resources
    told: Told = lambda _: None

    def derive(
        self, upto: Position, at: Moment, since: Callable[[duckdb.DuckDBPyConnection], str] | None = None
    ) -> None:
        """Make the state that the log up to a position gives at a moment, which no later event precedes.

        ``since`` may name a relation with profile, segment and since, of memberships
        that began before. Raises ``Transient`` if memory or disk ran out.
        """
        with self.resources.lake() as lake, self._log(upto) as log:
            with log_relation(lake, log, self.normalization) as events:
                self.told("identities")
                identity = self._identity(lake, events, upto)
                self.told("events of people")
                lake.execute(f"CREATE TEMPORARY VIEW rebuild_signed AS {signed(identity.counting(events))}")
                profiles = BulkProfiles(lake, "rebuild_signed", self._definition())
                self.pipeline.records.fill(self._telling(identity.rows()))
                self.pipeline.records.fill(self._telling(profiles.rows()))
            self.told("memberships")
            profiles.golden(PEOPLE)
            memberships = self._memberships(lake, at)
            known = since(lake) if since else _nothing_known(lake)
            self.pipeline.records.fill([(membership, memberships.rows(known))])
            self.told("timers")
            self.pipeline.records.fill([(timer, memberships.timers(self.pipeline.segments.all))])
        self._finish(upto, at, identity.progress())

    @contextmanager
    def _log(self, upto: Position) -> Iterator[LogSnapshot]:
        """The log with identifiers as they are normalized now, whatever they were when it was sealed."""
        with (
            self.log.snapshot(upto) as log,
            described_anew(log, self.normalization, self.resources.scratch) as anew,
        ):
            yield anew

    def _identity(self, lake: duckdb.DuckDBPyConnection, events: str, upto: Position) -> BulkIdentity:
        identity = self.pipeline.identity
        facts = facts_of(self.log, upto, self.normalization)
        return BulkIdentity(lake, events, identity.view, identity.policy, facts)

    def _definition(self) -> Definition:
        pipeline = self.pipeline
        read = frozenset(name for one in pipeline.segments.all for name in one.rule.mentions.traits)
        return Definition(pipeline.recorded, pipeline.profiles.keeps, pipeline.profiles.rules, read)

    def _telling(
        self, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]
    ) -> Iterator[tuple[Table, Iterable[pa.RecordBatch]]]:
        for table, batches in tables:
            self.told(table.name.replace("_", " "))
            yield table, batches

    def _memberships(self, lake: duckdb.DuckDBPyConnection, at: Moment) -> BulkMemberships:
        # A timeline has what rules read, under names in NFC, as properties of a plain call.
        lake.execute(f"""
        CREATE TEMPORARY TABLE {_EVENTS} AS
        SELECT profile, time, source, 'track' AS call, name, '{{"properties":' || properties || '}}' AS body,
          received, message_id
        FROM {TIMELINE} JOIN {PEOPLE} USING (signature);
        DROP TABLE {TIMELINE}
        """)
        live = self.pipeline.segments
        return BulkMemberships(lake, live, at, events=_EVENTS, traits=TRAITS, types=TYPES)

    def _finish(self, upto: Position, at: Moment, counters: dict[str, int]) -> None:
        pipeline = self.pipeline
        with pipeline.records.write() as transaction:
            for name, value in {**counters, LOG: upto, CLOCK: at}.items():
                transaction.advance(name, value)
            if pipeline.version:
                transaction.advance(VERSION, pipeline.version)
            transaction.put(segment_version, [(one.key, one.version) for one in pipeline.segments.all])
            transaction.put(trait_version, sorted(pipeline.profiles.versions.items()))


def _nothing_known(lake: duckdb.DuckDBPyConnection) -> str:
    lake.execute("CREATE TEMPORARY TABLE rebuild_since (profile BIGINT, segment VARCHAR, since BIGINT)")
    return "rebuild_since"
