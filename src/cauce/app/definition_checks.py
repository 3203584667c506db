"""What must hold among definitions: each name that one mentions exists, and each rule has a meaning."""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cauce.app.destination_checks import check_destination
from cauce.app.problems import Problems
from cauce.identity.rules import Ruleset, read_rules
from cauce.vocabulary.definitions import (
    VIEW,
    DestinationDef,
    IdentityDef,
    SegmentDef,
    SourceDef,
    SurvivorshipRule,
    TraitDef,
)
from cauce.vocabulary.errors import BadSettings, Unsupported
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Document, Steps

_INDEXED = re.compile(r"(identifiers|blocked)\[(\d+)\](?:\.(\w+))?")
_DECLARED = "Purposes are declared in cauce.yaml."


class Written(NamedTuple):
    """A definition and where it is written."""

    name: str
    value: Any
    document: Document
    steps: Steps


def check(written: Iterable[Written], folder: Path, purposes: Collection[str], problems: Problems) -> None:
    """Add a problem for all that does not fit together."""
    all_ = list(written)
    sources = [one.name for one in all_ if isinstance(one.value, SourceDef)]
    destinations = [one.name for one in all_ if isinstance(one.value, DestinationDef)]
    views = [one for one in all_ if isinstance(one.value, IdentityDef)]
    for one in all_:
        match one.value:
            case TraitDef():
                _check_trait(one, sources, problems)
            case SegmentDef():
                _check_names(one, "destinations", one.value.destinations, destinations, problems)
            case DestinationDef():
                _check_purpose(one, ("purpose",), one.value.purpose, purposes, problems)
                check_destination(one.document, one.steps, one.value, problems)
            case IdentityDef():
                _check_ruleset(one, sources, purposes, problems)
    if not any(view.name == VIEW for view in views):
        problems.add(str(folder / "identity"), f"there is no view {VIEW}.", f"Define one: `name: {VIEW}`.")
    for extra in views:
        if extra.name != VIEW:
            message = f"no other identity view than {VIEW} is supported yet."
            problems.at(
                extra.document, (*extra.steps, "name"), message, f"Rename it to {VIEW}, or remove it."
            )


def _check_trait(one: Written, sources: Sequence[str], problems: Problems) -> None:
    trait: TraitDef = one.value
    by_source = trait.survivorship is SurvivorshipRule.SOURCE_PRIORITY
    if by_source and not trait.sources:
        problems.at(
            one.document,
            (*one.steps, "survivorship"),
            "source_priority needs sources.",
            "Add `sources: [best, next best]`.",
        )
    if trait.sources and not by_source:
        problems.at(
            one.document,
            (*one.steps, "sources"),
            f"sources have no effect with {trait.survivorship}.",
            "Remove them, or write `survivorship: source_priority`.",
        )
    _check_names(one, "sources", trait.sources, sources, problems)


def _check_names(
    one: Written, field: str, names: Sequence[str], known: Collection[str], problems: Problems
) -> None:
    for index, name in enumerate(names):
        if name not in known:
            noun = field.removesuffix("s")
            hint = did_you_mean(name, known) or f"There is none yet: define it in definitions/{field}."
            problems.at(one.document, (*one.steps, field, index), f"unknown {noun} {name}.", hint)


def _check_purpose(
    one: Written, way: Steps, purpose: str, purposes: Collection[str], problems: Problems
) -> None:
    if purpose not in purposes:
        hint = f"{did_you_mean(purpose, purposes)} {_DECLARED}"
        problems.at(one.document, (*one.steps, *way), f"unknown purpose {purpose}.", hint)


def _check_ruleset(
    one: Written, sources: Collection[str], purposes: Collection[str], problems: Problems
) -> None:
    way = (*one.steps, "rules")
    rules = problems.fit(one.document, way, one.value.rules, Ruleset)
    if rules is msgspec.UNSET:
        return
    try:
        read_rules(one.value.rules)
    except (BadSettings, Unsupported) as error:
        message = error.message.removeprefix("Identity rules: ")
        problems.at(one.document, (*way, *_way_in_rules(message)), message, error.hint)
    for source in rules.strength:
        if source not in sources:
            hint = did_you_mean(source, sources)
            problems.at(one.document, (*way, "strength", source), f"unknown source {source}.", hint)
    if rules.purpose:
        _check_purpose(one, ("rules", "purpose"), rules.purpose, purposes, problems)


def _way_in_rules(message: str) -> Steps:
    """The way to the entry that identity's message names, such as ``identifiers[2].window``."""
    found = _INDEXED.search(message)
    if found is None:
        return ()
    name, index, field = found.groups()
    return (name, int(index), field) if field else (name, int(index))
