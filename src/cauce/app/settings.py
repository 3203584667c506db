"""Settings: one frozen dataclass per section, read from ``cauce.yaml`` and the environment.

A variable such as ``CAUCE_COLLECTOR__PORT`` wins over the file, and the file over
the default. This is the only module that reads either.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec
from msgspec import Meta

from cauce.activate.settings import ActivateSettings
from cauce.app.field_docs import own_fields_first
from cauce.app.misfit import explain_misfit
from cauce.app.problems import Problems
from cauce.collect.settings import CollectSettings
from cauce.identity.settings import IdentitySettings
from cauce.storage.settings import StoreSettings
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Document, load_yaml

PREFIX = "CAUCE_"
"""Every environment variable that sets something begins so; a section ends with two underscores."""

Port = Annotated[int, Meta(ge=0, le=65_535)]


@dataclass(frozen=True)
class CollectorSettings(CollectSettings):
    """The collector, which receives events over HTTP, and what it accepts."""

    host: str = "127.0.0.1"
    """The address it listens on; 0.0.0.0 lets other machines in."""
    port: Port = 8765
    """The port it listens on; 0 takes a free one."""


@dataclass(frozen=True)
class WorkerSettings:
    """The worker, which folds the log into people, segments and deliveries."""

    host: str = "127.0.0.1"
    """The address on which it answers /health and /metrics."""
    port: Port = 0
    """The port for that; 0 takes a free one. Of several workers the second has the next one, and so on."""
    processes: Annotated[int, Meta(ge=1, le=16)] = 1
    """How many workers `cauce serve` starts; more than one needs PostgreSQL."""
    idle_seconds: Annotated[float, Meta(gt=0)] = 0.01
    """How often it looks for new events while there is nothing to do."""
    seal_events: Annotated[int, Meta(ge=1_000)] = 200_000
    """How many folded events are sealed into Parquet files at once, at the least."""
    hot_events: Annotated[int, Meta(ge=0)] = 50_000
    """How many of the newest events stay rows, which are read and repeated most."""


@dataclass(frozen=True)
class ApiSettings:
    """The API, which answers questions about people, segments and the log."""

    host: str = "127.0.0.1"
    """The address it listens on; 0.0.0.0 lets other machines in."""
    port: Port = 8766
    """The port it listens on; 0 takes a free one."""


@dataclass(frozen=True)
class ConsoleSettings:
    """The console, which shows people, reviews and plans in a browser."""

    enabled: bool = False
    """Whether `cauce serve` starts it; it needs the extra `console`."""
    host: str = "127.0.0.1"
    """The address it listens on; 0.0.0.0 lets other machines in."""
    port: Port = 8767
    """The port it listens on; 0 takes a free one."""


@dataclass(frozen=True)
class ServeSettings:
    """The supervisor, which starts collector, worker, API and console and starts them again if they fail."""

    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    """The least grave messages that are written: debug, info, warning or error."""
    ready_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """How long the processes may take until they answer."""
    stop_seconds: Annotated[float, Meta(gt=0)] = 20.0
    """How long the processes may take to finish their work when told to stop."""
    restart_seconds: Annotated[float, Meta(gt=0)] = 0.2
    """The wait before a failed process is started again; it doubles while it keeps failing."""
    restart_limit_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """The longest such wait."""


@dataclass(frozen=True)
class DefinitionsSettings:
    """Applying definitions."""

    plan_hours: Annotated[int, Meta(ge=1)] = 24
    """How long after a plan was made `cauce apply --at` takes its position."""


@dataclass(frozen=True)
class RebuildSettings:
    """Deriving the state anew from the log in bulk."""

    memory_mb: Annotated[int, Meta(ge=256)] = 2_000
    """Memory of the columnar engine, in MB; what does not fit is spilled to the folder `scratch`."""
    threads: Annotated[int, Meta(ge=1)] = 2
    """Its threads."""
    behind_events: Annotated[int, Meta(ge=1)] = 200_000
    """A worker that is behind the log by more events catches up in bulk, if that takes less than folding."""


@dataclass(frozen=True)
class Settings:
    """Every setting of a space."""

    purposes: tuple[str, ...] = ("operations", "support", "analytics", "marketing")
    """The purposes for which personal data may be read; a read for another is refused."""
    store: StoreSettings = field(default_factory=StoreSettings)
    collector: CollectorSettings = field(default_factory=CollectorSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    activate: ActivateSettings = field(default_factory=ActivateSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    definitions: DefinitionsSettings = field(default_factory=DefinitionsSettings)
    rebuild: RebuildSettings = field(default_factory=RebuildSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)


class Setting(NamedTuple):
    """One setting: its way in the file, its type and its default."""

    path: tuple[str, ...]
    type: Any
    default: Any

    @property
    def name(self) -> str:
        """The name with dots, as ``cauce config show`` prints it."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + "__".join(self.path).upper()


class Loaded(NamedTuple):
    """Settings, and for each by name where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


def declared() -> list[Setting]:
    """Every setting there is, in the order of the file."""
    return list(_declared(Settings(), ()))


def _declared(section: Any, path: tuple[str, ...]) -> Iterator[Setting]:
    types = get_type_hints(type(section), include_extras=True)
    for one in own_fields_first(type(section)):
        value = getattr(section, one.name)
        way = (*path, one.name)
        if hasattr(value, "__dataclass_fields__"):
            yield from _declared(value, way)
        else:
            yield Setting(way, types[one.name], value)


def load_settings(file: Path, environment: Mapping[str, str] | None = None) -> Loaded:
    """The settings of a space; raises ``BadFiles`` with all that is wrong in file and environment."""
    reading = _Reading()
    reading.file(file)
    reading.environment(os.environ if environment is None else environment)
    reading.problems.refuse()
    return Loaded(_built(Settings, reading.values, ()), reading.origins)


class _Reading:
    """Values and their origins as they are found, the later ones winning."""

    def __init__(self) -> None:
        self.known = {setting.path: setting for setting in declared()}
        self.values: dict[tuple[str, ...], Any] = {}
        self.origins = {setting.name: "default" for setting in self.known.values()}
        self.problems = Problems()

    def file(self, file: Path) -> None:
        """Take the values of a settings file."""
        try:
            document = load_yaml(file)
        except BadSettings as error:
            self.problems.unreadable(str(file), error)
        else:
            if document.value is not None:
                self._mapping(document, document.value, ())

    def _mapping(self, document: Document, value: Any, path: tuple[str, ...]) -> None:
        if not isinstance(value, dict):
            self.problems.at(document, path, "expected settings by name.", "Write `name: value` below.")
            return
        siblings = {one[len(path)] for one in self.known if one[: len(path)] == path}
        for name, inner in value.items():
            way = (*path, name)
            if way in self.known:
                self._value(document, inner, way)
            elif name not in siblings:
                hint = did_you_mean(name, sorted(siblings))
                self.problems.at(document, way, f"{name}: unknown setting.", hint)
            elif inner is not None:  # None: a section whose lines are all comments
                self._mapping(document, inner, way)

    def _value(self, document: Document, value: Any, path: tuple[str, ...]) -> None:
        setting = self.known[path]
        if isinstance(value, Decimal) and isinstance(setting.default, float):
            value = float(value)
        fitting = self.problems.fit(document, path, value, setting.type)
        if fitting is not msgspec.UNSET:
            self._keep(setting, fitting, f"{document.file}:{document.place(path).line}")

    def environment(self, environment: Mapping[str, str]) -> None:
        """Take the values of environment variables."""
        by_variable = {setting.variable: setting for setting in self.known.values()}
        for variable, text in environment.items():
            if setting := by_variable.get(variable):
                self._variable(setting, text)
            elif variable.startswith(PREFIX) and "__" in variable:
                self.problems.add(variable, "sets nothing.", did_you_mean(variable, by_variable))

    def _variable(self, setting: Setting, text: str) -> None:
        several = isinstance(setting.default, tuple)
        value = [part.strip() for part in text.split(",")] if several else text
        try:
            fitting = msgspec.convert(value, setting.type, strict=False)
        except msgspec.ValidationError as error:
            self.problems.add(setting.variable, explain_misfit(error, value, setting.type).message)
        else:
            self._keep(setting, fitting, f"environment {setting.variable}")

    def _keep(self, setting: Setting, value: Any, origin: str) -> None:
        self.values[setting.path] = value
        self.origins[setting.name] = origin


def _built(section: type[Any], values: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> Any:
    arguments = {}
    for one in fields(section):
        way = (*path, one.name)
        default = getattr(section(), one.name)
        if hasattr(default, "__dataclass_fields__"):
            arguments[one.name] = _built(type(default), values, way)
        elif way in values:
            arguments[one.name] = values[way]
    return section(**arguments)
