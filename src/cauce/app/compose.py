"""Composition: the one place that picks engines and hands stages what they need."""

from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path

from cauce.activate.service import Activation
from cauce.app.definitions import load_definitions
from cauce.app.pipeline import Pipeline
from cauce.app.settings import Loaded, Settings, load_settings
from cauce.app.space import Space, find_space
from cauce.eventlog.port import EventLog
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.access import Access
from cauce.govern.records import CONTROL
from cauce.identity.rules import read_rules
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.profile.survivorship import Survivorship
from cauce.segment.live import LiveSegments
from cauce.segment.service import Segments
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.definitions import VIEW, Definitions, TraitDef
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.identifier import Identifier, Normalization, normalize


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
    def definitions(self) -> Definitions:
        """The definitions; raises ``BadFiles`` with everything wrong in them."""
        found = load_definitions(self.space.definitions, self.settings.purposes)
        if VIEW not in found.identities:
            raise BadSettings(
                f"The identity view {VIEW} is not defined.",
                hint=f"Write definitions/identity/{VIEW}.yaml; `cauce init` makes one.",
            )
        return found

    @cached_property
    def log(self) -> EventLog:
        """The event log."""
        return SqliteLog(self.space.root)

    @cached_property
    def state(self) -> Records:
        """The state store."""
        return SqliteRecords(self.space.state, STATE)

    @cached_property
    def control(self) -> Records:
        """The control store."""
        return SqliteRecords(self.space.control, CONTROL, synchronous="FULL")

    @cached_property
    def access(self) -> Access:
        """Who may read what."""
        return Access(self.settings.purposes)

    @cached_property
    def identity(self) -> Identity:
        """The identity view."""
        return Identity(VIEW, read_rules(self.definitions.ruleset(VIEW)))

    @cached_property
    def live(self) -> LiveSegments:
        """The segments in force."""
        return LiveSegments.of(self.definitions.segments.values())

    @cached_property
    def profiles(self) -> Profiles:
        """Golden records."""
        rules = {name: _survivorship(one) for name, one in self.definitions.traits.items()}
        return Profiles(self.state, self.identity, rules, self.access.require)

    @cached_property
    def segments(self) -> Segments:
        """Memberships."""
        return Segments(self.state, self.live, self.identity, self.profiles, self.access.require)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way of an event."""
        destinations = {key: one.destinations for key, one in self.definitions.segments.items()}
        return Pipeline(self.state, self.identity, self.profiles, self.live, Activation(destinations))

    @cached_property
    def normalization(self) -> Callable[[str], Normalization]:
        """How the identifiers of a source are normalized."""
        return lru_cache(maxsize=10_000)(lambda source: self.definitions.normalization(VIEW, source))

    def normalizations(self) -> dict[str, Normalization]:
        """How the identifiers of each source are normalized; under "" those of all others."""
        return {source: self.normalization(source) for source in ("", *self.definitions.sources)}

    def normal(self, identifier: Identifier) -> Identifier:
        """An identifier as somebody typed it, in its normal form."""
        value = normalize(identifier.type, identifier.value, self.normalization(""))
        return Identifier(identifier.type, value)


def _survivorship(definition: TraitDef) -> Survivorship:
    return Survivorship(definition.survivorship, definition.sources)
