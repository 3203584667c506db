"""Composition: the one place that picks engines and hands stages what they need."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property, lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from sqlalchemy import Connection, MetaData

from cauce.activate.service import Activation
from cauce.app.candidate_file import CandidateFile
from cauce.app.definition_files import export
from cauce.app.definitions import load_definitions
from cauce.app.log_past import LogPast
from cauce.app.members import SegmentMembers
from cauce.app.pipeline import VERSION, Pipeline
from cauce.app.rounds import records as _rounds  # noqa: F401  declares its tables
from cauce.app.rounds.worker import RoundWorker
from cauce.app.settings import Loaded, Settings, load_settings
from cauce.app.space import Space, find_space
from cauce.app.worker import Worker
from cauce.collect.quarantine import Quarantine
from cauce.eventlog.database import marks_of_files
from cauce.eventlog.moved import refuse_if_moved
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.port import EventLog
from cauce.eventlog.promoted import PROPERTIES, TRAITS
from cauce.eventlog.sealable import Opener
from cauce.eventlog.sqlite import SqliteLog
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.govern.access import Access
from cauce.govern.records import CONTROL
from cauce.govern.versions import Versions
from cauce.identity.rules import read_rules
from cauce.identity.service import Identity
from cauce.profile.groups import Groups
from cauce.profile.service import Profiles
from cauce.profile.session import merged
from cauce.profile.survivorship import Survivorship
from cauce.segment.live import LiveSegments
from cauce.segment.service import Segments
from cauce.storage.records import STATE, ManyWriters, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.storage.sqlite import altered as sqlite_altered
from cauce.storage.sqlite_stores import SqliteStores
from cauce.storage.stores import Stores
from cauce.vocabulary import moment
from cauce.vocabulary.definitions import VIEW, Compared, Definitions, TraitDef
from cauce.vocabulary.definitions.canonical import read_contents
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.identifier import Identifier, Normalization, normalize
from cauce.vocabulary.language import ComputedTrait, nfc
from cauce.vocabulary.moment import Clock


class Composition:
    """Everything of one space, built when first asked for."""

    def __init__(self, root: Path) -> None:
        """Open a space; raises ``NotFound`` if the folder is none."""
        self.space: Space = find_space(root)

    @cached_property
    def loaded(self) -> Loaded:
        """The settings and where each came from."""
        return load_settings(self.space.settings)

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

    @cached_property
    def versions(self) -> Versions:
        """Every version of the definitions that was applied."""
        return Versions(self.control)

    @cached_property
    def applied(self) -> int:
        """The number of the version that was applied last when this was asked; 0 if none ever was."""
        return self.versions.latest()

    @cached_property
    def definitions(self) -> Definitions:
        """The definitions that are applied; those of the folder as long as none ever were.

        Raises ``BadFiles`` with everything wrong in the folder.
        """
        if self.applied:
            return read_contents(self.versions.contents(self.applied))
        return self.folder_definitions()

    def folder_definitions(self) -> Definitions:
        """The definitions of the folder, which is the working copy; raises ``BadFiles``."""
        return load_definitions(self.space.definitions, self.settings.purposes)

    def earlier_definitions(self, number: int) -> Definitions:
        """The definitions of a version, which must still fit; raises ``NotFound`` and ``BadFiles``."""
        found = read_contents(self.versions.contents(number))
        with TemporaryDirectory() as name:
            export(found, Path(name))
            return load_definitions(Path(name), self.settings.purposes)

    @cached_property
    def in_force(self) -> Definitions:
        """The definitions that the state was made with: the applied ones, or those it still has to leave."""
        if self.version_in_force in (0, self.applied):
            return self.definitions
        return read_contents(self.versions.contents(self.version_in_force))

    @cached_property
    def version_in_force(self) -> int:
        """The version that the state was made with; 0 if it was made before any was applied."""
        with self.state.read() as reader:
            return reader.progress(VERSION)

    def with_definitions(self, definitions: Definitions, version: int = 0) -> "Composition":
        """The same space with other definitions, applied and in force alike; stores are shared."""
        other = self.renewed()
        other.__dict__.update(
            definitions=definitions, in_force=definitions, applied=version, version_in_force=version
        )
        return other

    def renewed(self) -> "Composition":
        """The same space with whatever is applied now; stores and settings are shared."""
        other = Composition(self.space.root)
        shared = ("loaded", "log", "state", "control", "versions")
        other.__dict__.update({name: getattr(self, name) for name in shared})
        return other

    @cached_property
    def log(self) -> EventLog:
        """The event log."""
        store = self.settings.store
        if not store.url:
            return SqliteLog(self.space.root)
        with postgres_extra():
            from cauce.eventlog.postgres import PostgresLog  # noqa: PLC0415  an extra
        return PostgresLog(store.url, store.schema, self.space.root)

    @property
    def has_log(self) -> bool:
        """Whether a log was begun: asking it makes none."""
        return bool(self.settings.store.url) or self.space.log.exists()

    @property
    def has_state(self) -> bool:
        """Whether a state store was begun: asking it makes none."""
        return bool(self.settings.store.url) or self.space.state.exists()

    @cached_property
    def state(self) -> Records:
        """The state store."""
        return self._records(STATE, self.space.state, durable=False)

    @property
    def stores(self) -> Stores:
        """The state stores: the one in force, one in the making, and the one before."""
        store = self.settings.store
        if not store.url:
            return SqliteStores(self.space.state)
        with postgres_extra():
            from cauce.storage.postgres_stores import PostgresStores  # noqa: PLC0415  an extra
        return PostgresStores(store.url, store.schema)

    @cached_property
    def control(self) -> Records:
        """The control store."""
        return self._records(CONTROL, self.space.control, durable=True)

    def _records(self, tables: MetaData, file: Path, *, durable: bool) -> Records:
        store = self.settings.store
        self._refuse_if_moved()
        if not store.url:
            return SqliteRecords(file, tables, synchronous="FULL" if durable else "NORMAL")
        with postgres_extra():
            from cauce.storage.postgres import PostgresRecords  # noqa: PLC0415  an extra
        return PostgresRecords(store.url, store.schema, tables, durable=durable)

    def _refuse_if_moved(self) -> None:
        """Raise ``Conflict`` if `cauce migrate` took the space away from here; the log looks itself."""
        store = self.settings.store
        if not store.url:
            refuse_if_moved(marks_of_files(self.space.root), "SQLite files")
        elif "log" not in self.__dict__:
            with closing(self.log) as log:
                log.head()
            del self.__dict__["log"]

    @contextmanager
    def altered(self, store: str) -> Iterator[Connection | None]:
        """A connection to change the tables of a store, in one transaction; None if there is none yet."""
        chosen = self.settings.store
        file = self.space.root / f"{store}.db"
        if chosen.url:
            with postgres_extra():
                from cauce.storage import postgres  # noqa: PLC0415  an extra
            with postgres.altered(chosen.url, chosen.schema) as connection:
                yield connection
        elif file.exists():
            with sqlite_altered(file) as connection:
                yield connection
        else:
            yield None

    @cached_property
    def access(self) -> Access:
        """Who may read what."""
        return Access(self.settings.purposes)

    @cached_property
    def identity(self) -> Identity:
        """The identity view."""
        return Identity(VIEW, read_rules(self.in_force.ruleset(VIEW)))

    @cached_property
    def live(self) -> LiveSegments:
        """The segments in force."""
        return LiveSegments.of(self.in_force.segments.values(), self.computed)

    @cached_property
    def computed(self) -> dict[str, ComputedTrait]:
        """The computed traits."""
        return self.in_force.computed()

    @cached_property
    def survivorship(self) -> dict[str, Survivorship]:
        """Which of several asserted values survives, by trait."""
        return {nfc(name): _survivorship(one) for name, one in self.in_force.traits.items()}

    @cached_property
    def profiles(self) -> Profiles:
        """Golden records."""
        require = self.access.require
        return Profiles(self.state, self.identity, self.survivorship, require, self.computed)

    @cached_property
    def groups(self) -> Groups:
        """Golden records of groups, and who belongs to them."""
        return Groups(self.state, self.identity, self.survivorship, self.access.require)

    @cached_property
    def segments(self) -> Segments:
        """Memberships."""
        doubts = CandidateFile(self.space.candidates, self.identity)
        return Segments(self.state, self.live, self.identity, self.profiles, self.access.require, doubts)

    @cached_property
    def quarantine(self) -> Quarantine:
        """Refused input."""
        return Quarantine(
            self.log,
            self.settings.collector,
            lambda: str(uuid.uuid4()),
            moment.now,
            self.access.require,
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way of an event."""
        activation = Activation.of(self.in_force)
        return Pipeline(
            self.state,
            self.identity,
            self.profiles,
            self.live,
            activation,
            self.version_in_force,
            partial(LogPast, self.log, self.normalization, self.space.scratch),
        )

    @cached_property
    def members(self) -> SegmentMembers:
        """Who is in a segment, as destinations are told of her."""
        return SegmentMembers(self.identity, self.profiles, self.access.require)

    def worker(self, clock: Clock) -> Worker:
        """A worker that folds the log: alone on SQLite, with any number of others on PostgreSQL."""
        parts = (self.pipeline, self.log, self.normalization, clock)
        if not self.settings.store.url:
            return Worker(*parts)
        return RoundWorker(*parts, records=cast(ManyWriters, self.state), name=uuid.uuid4().hex)

    @cached_property
    def normalization(self) -> Callable[[str], Normalization]:
        """How the identifiers of a source are normalized."""
        return lru_cache(maxsize=10_000)(lambda source: self.in_force.normalization(VIEW, source))

    def normalizations(self) -> dict[str, Normalization]:
        """How the identifiers of each source are normalized; under "" those of all others."""
        return {source: self.normalization(source) for source in ("", *self.in_force.sources)}

    @cached_property
    def plan(self) -> Plan:
        """How sealed files are described: identifiers by source, and what rules and traits read promoted."""
        read = merged(self.live.recorded, self.profiles.read_by_rules)
        properties = ((PROPERTIES, *path) for paths in read.values() for path in paths)
        traits = ((TRAITS, nfc(name)) for name in self.in_force.traits)
        return Plan(BySource(self.normalizations()), frozenset((*properties, *traits)))

    @property
    def sealable(self) -> Opener:
        """Opens the log for the process that seals it."""
        store = self.settings.store
        if not store.url:
            return partial(SqliteSealable, self.space.root)
        with postgres_extra():
            from cauce.eventlog.postgres_sealing import PostgresSealable  # noqa: PLC0415  an extra
        return partial(PostgresSealable, store.url, store.schema, self.space.root)

    def normal(self, identifier: Identifier) -> Identifier:
        """An identifier as somebody typed it, in its normal form."""
        value = normalize(identifier.type, identifier.value, self.normalization(""))
        return Identifier(identifier.type, value)


@contextmanager
def postgres_extra() -> Iterator[None]:
    """Say what to install where the driver of PostgreSQL is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise BadSettings(
            f"store.url names PostgreSQL, but the library {missing.name} is not installed.",
            hint="Install Cauce with the extra postgres: pip install 'cauce[postgres]'.",
        ) from missing


def _survivorship(definition: TraitDef) -> Survivorship:
    text = definition.values is Compared.TEXT
    return Survivorship(definition.survivorship, definition.sources, text)
