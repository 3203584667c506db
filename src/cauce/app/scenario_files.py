"""Scenarios and policies as files: read, checked, and what is wrong told with file, line and nearest name."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec

from cauce.app.definitions import YAML_SUFFIXES
from cauce.app.problems import Problems
from cauce.identity.rules import read_rules
from cauce.identity.scenario_people import prepare, simulated
from cauce.identity.scenario_policies import BUILT_IN, UNIQUE, ScenarioPolicy, built_in_policies
from cauce.identity.scenarios import Scenario
from cauce.identity.simulated import read_events
from cauce.vocabulary.definitions import IdentityDef
from cauce.vocabulary.errors import BadSettings, CauceError, InvalidInput
from cauce.vocabulary.identifier import parse_identifier
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Document, Steps, load_yaml

_INSTALLED = Path(__file__).parent / "scenarios"
_IN_REPOSITORY = Path(__file__).parents[3] / "examples" / "identity" / "scenarios"
BUILT_IN_SCENARIOS = _INSTALLED if _INSTALLED.is_dir() else _IN_REPOSITORY
"""The folder of the scenarios that everybody has: EM-01 … EM-14."""


class Read(NamedTuple):
    """A scenario with the document it stands in and the way to it."""

    scenario: Scenario
    document: Document
    steps: Steps

    @property
    def place(self) -> str:
        """Where it stands, as ``file:line``."""
        return f"{self.document.file}:{self.document.place(self.steps).line}"


def read_scenarios(paths: Iterable[Path], policies: Sequence[str]) -> list[Read]:
    """The scenarios of some files and folders; raises ``BadFiles`` with everything that is wrong.

    ``policies`` are the names that expectations may use.
    """
    problems = Problems()
    first: dict[str, Read] = {}
    for one in _read_all(_files(paths, problems), problems):
        _check(one, policies, problems)
        other = first.setdefault(one.scenario.id, one)
        if other is not one:
            message = f"id: there is a scenario {one.scenario.id} already."
            problems.at(one.document, (*one.steps, "id"), message, f"The first is in {other.place}.")
    problems.refuse()
    return list(first.values())


def read_policies(paths: Iterable[Path]) -> list[ScenarioPolicy]:
    """The identity definitions of some files as policies; raises ``BadFiles`` if they are wrong.

    A file holds one definition or a list of them.
    """
    problems = Problems()
    found: dict[str, ScenarioPolicy] = {}
    for document, steps, value in _entries(_files(paths, problems), problems):
        definition = _fit(document, steps, value, IdentityDef, problems)
        if definition is None:
            continue
        if definition.name in found or definition.name in BUILT_IN:
            message = f"name: there is a policy {definition.name} already."
            problems.at(document, (*steps, "name"), message, "Give it another name.")
        try:
            read_rules(definition.rules)
        except CauceError as error:
            problems.at(document, (*steps, "rules"), error.message, error.hint)
        found[definition.name] = ScenarioPolicy(definition.name, definition.rules)
    problems.refuse()
    return list(found.values())


def _files(paths: Iterable[Path], problems: Problems) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix in YAML_SUFFIXES and one.is_file())
        elif path.is_file():
            yield path
        else:
            problems.add(str(path), "there is no such file.", "Name a file or a folder.")


def _entries(files: Iterable[Path], problems: Problems) -> Iterator[tuple[Document, Steps, Any]]:
    for file in files:
        try:
            document = load_yaml(file)
        except BadSettings as error:
            problems.unreadable(str(file), error)
            continue
        value = document.value
        if value is None:
            problems.add(str(file), "the file is empty.", "Begin with `id: NAME`.")
        elif isinstance(value, list):
            yield from ((document, (index,), item) for index, item in enumerate(value))
        else:
            yield document, (), value


def _read_all(files: Iterable[Path], problems: Problems) -> Iterator[Read]:
    for document, steps, value in _entries(files, problems):
        found = _fit(document, steps, value, Scenario, problems)
        if found is not None:
            yield Read(found, document, steps)


def _fit(document: Document, steps: Steps, value: Any, model: type[Any], problems: Problems) -> Any:
    """The value as a model; None, and every problem, if a part does not fit."""
    if not isinstance(value, dict):
        problems.at(
            document, steps, "expected keys and values.", f"Begin with `{next(iter(_keys(model)))}:`."
        )
        return None
    before = len(problems.found)
    types = get_type_hints(model, include_extras=True)
    keys = _keys(model)
    fitting = {}
    for name, inner in value.items():
        if name in keys:
            fitting[name] = problems.fit(document, (*steps, name), inner, types[name])
        else:
            problems.at(document, (*steps, name), f"{name}: unknown key.", did_you_mean(name, keys))
    for field in msgspec.structs.fields(model):
        if field.required and field.name not in value:
            hint = msgspec.json.schema(types[field.name]).get("description", "")
            problems.at(document, steps, f"the key {field.name} is missing.", hint)
    return model(**fitting) if len(problems.found) == before else None


def _keys(model: type[Any]) -> tuple[str, ...]:
    names: tuple[str, ...] = model.__struct_fields__
    return names


def _check(one: Read, policies: Sequence[str], problems: Problems) -> None:
    scenario, document, steps = one
    known = {identifier for own in scenario.people.values() for identifier in own}
    _check_events(one, problems)
    _check_people(one, problems)
    for name in scenario.expect:
        if name not in policies:
            problems.at(document, (*steps, "expect", name), *_no_policy(name, policies))
    names = {told.event for told in scenario.events}
    for index, asked in enumerate(scenario.questions):
        way = (*steps, "questions", index)
        if asked.did not in names:
            message = f"did: no event of this scenario is {asked.did}."
            problems.at(document, (*way, "did"), message, did_you_mean(asked.did, names - {""}))
        if asked.who not in known:
            problems.at(
                document,
                (*way, "who"),
                f"who: nobody of people has {asked.who}.",
                did_you_mean(asked.who, known),
            )
        for name in asked.expect:
            if name not in policies:
                problems.at(document, (*way, "expect", name), *_no_policy(name, policies))


def _no_policy(name: str, policies: Sequence[str]) -> tuple[str, str]:
    return f"{name}: there is no such policy.", did_you_mean(name, policies)


def _check_events(one: Read, problems: Problems) -> None:
    """Whether each event is one of the simulation format."""
    prepared = prepare(next(policy for policy in built_in_policies(None) if policy.name == UNIQUE).rules)
    ids: dict[str, int] = {}
    for index, told in enumerate(one.scenario.events):
        way = (*one.steps, "events", index)
        event = simulated(told, index + 1, prepared)
        try:
            list(read_events(prepared.policy, [event]))
        except InvalidInput as error:
            message = error.message.removeprefix("events[0]").lstrip(".: ")
            problems.at(one.document, way, message, error.hint)
        if ids.setdefault(event["id"], index) != index:
            twin = one.scenario.events[ids[event["id"]]]
            if twin != told:
                message = f"id: {event['id']} is the id of another event."
                problems.at(one.document, (*way, "id"), message, "The same id again is a repeated delivery.")


def _check_people(one: Read, problems: Problems) -> None:
    """Whether the truth is about identifiers that events carry, each of one person."""
    carried = set(_carried(one.scenario))
    owners: dict[str, str] = {}
    people = {**one.scenario.people, "": one.scenario.nobody}
    for name, own in people.items():
        way = ("people", name) if name else ("nobody",)
        for index, identifier in enumerate(own):
            at = (*one.steps, *way, index)
            if identifier not in carried:
                problems.at(
                    one.document, at, f"no event carries {identifier}.", did_you_mean(identifier, carried)
                )
            if owners.setdefault(identifier, name) != name:
                message = f"{identifier} is also of {owners[identifier] or 'nobody'}."
                problems.at(one.document, at, message, "An identifier is of one person in truth.")


def _carried(scenario: Scenario) -> Iterator[str]:
    for told in scenario.events:
        for type_, values in told.ids.items():
            for value in values if isinstance(values, list) else [values]:
                if parse_identifier(text := f"{type_}:{value}") is not None:
                    yield text
