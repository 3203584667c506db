"""Policies to try scenarios on: sets of identity rules, with or without doubt."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from cauce.identity.rules import default_rules
from cauce.vocabulary.postal_address import POSTAL_ADDRESS


class Pair(NamedTuple):
    """Two records, by their places, that may be one person, and the log2 of the odds that they are."""

    one: int
    other: int
    weight: float


class Matcher(Protocol):
    """Finds records that may be one person."""

    join: float
    """From this weight on two records are one person."""
    candidate: float
    """From this weight on they may be."""

    def pairs(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Pair]:
        """The pairs of records, each with what is known of one person, that are candidates at least."""


class ScenarioPolicy(NamedTuple):
    """A policy by its name: rules, a matcher if it has one, and what it needs that is not there."""

    name: str
    rules: Mapping[str, Any]
    matcher: Matcher | None = None
    missing: str = ""


UNIQUE, SEVERAL, ADDRESS, PROBABILISTIC = (
    "unique e-mail",
    "several e-mails",
    "e-mail and address",
    "probabilistic",
)
BUILT_IN = (UNIQUE, SEVERAL, ADDRESS, PROBABILISTIC)


def built_in_policies(matcher: Matcher | None, missing: str = "") -> list[ScenarioPolicy]:
    """The policies that everybody has; ``missing`` says what to install where there is no matcher."""
    return [
        ScenarioPolicy(UNIQUE, _with("email", limit=1)),
        ScenarioPolicy(SEVERAL, default_rules()),
        ScenarioPolicy(ADDRESS, _with_address()),
        ScenarioPolicy(PROBABILISTIC, default_rules(), matcher, missing),
    ]


def _with(type_: str, **changes: Any) -> dict[str, Any]:
    """The default rules with one type's rule changed."""
    rules = default_rules()
    types = [one | changes if one["type"] == type_ else one for one in rules["identifiers"]]
    return rules | {"identifiers": types}


def _with_address() -> dict[str, Any]:
    """The default rules with postal addresses, weaker than phones and stronger than devices."""
    rules = default_rules()
    types = rules["identifiers"]
    place = 1 + next(place for place, one in enumerate(types) if one["type"] == "phone")
    address = {"type": POSTAL_ADDRESS, "limit": 3, "normalize": "address", "max_owners": 5}
    return rules | {"identifiers": [*types[:place], address, *types[place:]]}
