"""Scores: how well profiles agree with the truth, counted over pairs of identifiers.

A pair is two identifiers. It is *joined* if one profile holds both, and *true*
if both belong to one person. Every identifier that was recorded takes part:

- an identifier of one person belongs to her;
- a shared device or phone belongs to whoever was last named on it
  (``identity.md``: the newest link wins), so joining it to another user is wrong;
- junk, role addresses and a kiosk belong to nobody, so joining them to anybody
  is wrong.

Precision = true joined pairs / joined pairs; nothing is excused from it.
Recall = true joined pairs / true pairs, once over all true pairs and once over
the *knowable* ones, which a chain of the person's own events connects.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from demo.scenario import Scenario
from demo.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of pairs; the ratios are derived."""

    joined: int
    joined_true: int
    true: int
    knowable: int
    knowable_joined: int

    @property
    def precision(self) -> float:
        """Of the joined pairs, how many are true; 1 if nothing is joined."""
        return self.joined_true / self.joined if self.joined else 1.0

    @property
    def recall(self) -> float:
        """Of all true pairs, how many are joined; 1 if there are none."""
        return self.joined_true / self.true if self.true else 1.0

    @property
    def knowable_recall(self) -> float:
        """Of the knowable pairs, how many are joined; 1 if there are none."""
        return self.knowable_joined / self.knowable if self.knowable else 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scenario: the groups that were found, and whether these are the expected ones."""

    scenario: Scenario
    found: tuple[frozenset[str], ...]
    as_expected: bool


def score(truth: Truth, profiles: Mapping[str, Iterable[str]]) -> Score:
    """Score ``profiles`` (any key → identifiers ``type:value``).

    An identifier in no profile (a blocked value) stands alone. Identifiers
    that the truth does not know are a mistake of the caller: ``KeyError``.
    """
    profile_of = _profile_of(truth, profiles)
    owner_of = {
        name: name if owned.owner is None else str(owned.owner) for name, owned in truth.identifiers.items()
    }
    return Score(
        joined=_pairs(profile_of.values()),
        joined_true=_pairs((profile_of[name], owner_of[name]) for name in owner_of),
        true=_pairs(owner_of.values()),
        knowable=_pairs(truth.knowable.values()),
        knowable_joined=_pairs((profile_of[name], label) for name, label in truth.knowable.items()),
    )


def wrong_profiles(truth: Truth, profiles: Mapping[str, Iterable[str]]) -> list[tuple[str, frozenset[str]]]:
    """The profiles that hold identifiers of more than one owner: key and identifiers."""
    wrong = []
    for key, members in profiles.items():
        names = frozenset(members)
        owners = {truth.identifiers[name].owner for name in names}
        if len(owners) > 1 or (None in owners and len(names) > 1):
            wrong.append((key, names))
    return wrong


def outcome(scenario: Scenario, profiles: Mapping[str, Iterable[str]]) -> Outcome:
    """Compare what was found for the identifiers of a scenario with what is expected."""
    asked = scenario.identifiers
    found = tuple(
        sorted(
            (group for members in profiles.values() if (group := asked & frozenset(members))),
            key=sorted,
        )
    )
    return Outcome(scenario, found, set(found) == set(scenario.expected))


def true_groups(scenario: Scenario, truth: Truth) -> set[frozenset[str]]:
    """What a resolver that knows everything makes of a scenario: one group per owner, the rest alone."""
    groups: dict[object, set[str]] = {}
    for name in scenario.identifiers:
        groups.setdefault(truth.identifiers[name].owner or name, set()).add(name)
    return {frozenset(names) for names in groups.values()}


def verdict(scenario: Scenario, truth: Truth, profiles: Mapping[str, Iterable[str]]) -> tuple[int, bool]:
    """The number of persons that profiles make of a scenario, and whether that is the truth."""
    found = set(outcome(scenario, profiles).found)
    somebodys = {name for name in scenario.identifiers if truth.identifiers[name].owner is not None}
    persons = sum(not group.isdisjoint(somebodys) for group in found)
    nowhere = scenario.identifiers.difference(*found)
    return persons, found | {frozenset({name}) for name in nowhere} == true_groups(scenario, truth)


def _profile_of(truth: Truth, profiles: Mapping[str, Iterable[str]]) -> dict[str, str]:
    result = {name: f"alone {name}" for name in truth.identifiers}
    for key, members in profiles.items():
        for name in members:
            if name not in result:
                raise KeyError(name)
            result[name] = f"profile {key}"
    return result


def _pairs(labels: Iterable[object]) -> int:
    """Pairs of things that carry the same label."""
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())
