"""A ruleset prepared for use: look-ups by priority instead of lists to search."""

import re
from collections.abc import Sequence

from cauce.identity.rules import ANY_TYPE, Conflict, Ruleset
from cauce.vocabulary.moment import SECOND

MAX_LINKS = 1_000
"""The hard cap of links per identifier (``identity.md`` section 3, Defaults)."""


class Policy:
    """What the algorithm asks of a ruleset. A type's *rank* is its priority, 0 the strongest.

    ``max_links`` is a parameter so that tests can reach the cap.
    """

    def __init__(self, ruleset: Ruleset, *, max_links: int = MAX_LINKS) -> None:
        rules = ruleset.identifiers
        self.ruleset = ruleset
        self.max_links = max_links
        self.max_ids = ruleset.max_ids_per_event
        self.strength = ruleset.strength
        self.types = tuple(rule.type for rule in rules)
        self.rank = {rule.type: rank for rank, rule in enumerate(rules)}
        self.newest = tuple(rule.conflict is Conflict.NEWEST for rule in rules)
        self.max_owners = tuple(rule.max_owners for rule in rules)
        self.purpose = ruleset.purpose
        self.singles = frozenset(rule.type for rule in rules if rule.limit == 1 and rule.window is None)
        """The types of which an event may carry one value only."""
        limited = sorted((rule.limit, rank) for rank, rule in enumerate(rules) if rule.limit is not None)
        self.limits = tuple((self.types[rank], limit) for limit, rank in limited)
        """Limited types with their limits, the tightest first."""
        windows = [rules[rank].window for _, rank in limited]
        self.windows = tuple(None if window is None else window * SECOND for window in windows)
        """The windows of ``limits``, in microseconds; None where all values ever seen count."""
        self.windowed = frozenset(rank for _, rank in limited if rules[rank].window is not None)
        """The ranks of types with a window."""
        self.limit_index = {rank: index for index, (_, rank) in enumerate(limited)}
        """Rank → place in ``limits``; unlimited types are absent."""
        self.owners = tuple(self._owner_types(rank) for rank in range(len(rules)))
        """Rank → the stronger types of limit 1, too many values of which make it shared."""
        self.few = tuple(self._few(rank) for rank in range(len(rules)))
        """Rank → so many events cannot have linked too much: below it, links need not be counted."""
        self._blocked = _Blocked(ruleset)

    def _owner_types(self, rank: int) -> frozenset[str]:
        if self.max_owners[rank] is None:
            return frozenset()
        stronger = self.ruleset.identifiers[:rank]
        return frozenset(rule.type for rule in stronger if rule.limit == 1)

    def _few(self, rank: int) -> int:
        others = max(1, self.max_ids - 1)
        owners = self.max_owners[rank] or self.max_links
        if not self.owners[rank] <= self.singles:
            owners //= others  # an event may carry several values of a type whose limit has a window
        return min(self.max_links // others, owners)

    def counts(self, type_: str, value: str) -> bool:
        """Whether an identifier is live in this view: of a listed type and not blocked."""
        return type_ in self.rank and not self._blocked.matches(type_, value)

    def order(self, key: str) -> tuple[int, str]:
        """Priority and value of a live identifier ``type:value``."""
        type_, _, value = key.partition(":")
        return self.rank[type_], value

    def covers(self, purposes: Sequence[str]) -> bool:
        """Whether consent for these purposes, none for all, concerns this view."""
        return not purposes or self.purpose in purposes

    def blocks(self, type_: str, value: str) -> bool:
        """Whether a value is blocked; asked of the trimmed raw value and of the normalized one."""
        return self._blocked.matches(type_, value)

    def contradicts(self, types: Sequence[str]) -> bool:
        """Whether an event with live identifiers of these types links nothing."""
        if len(types) > self.max_ids:
            return True
        distinct = set(types)
        if len(distinct) == len(types):
            return False
        return any(type_ in self.singles and types.count(type_) > 1 for type_ in distinct)


class _Blocked:
    """The blocked values of a ruleset."""

    def __init__(self, ruleset: Ruleset) -> None:
        scopes = {ANY_TYPE, *(one.type for one in ruleset.blocked)}
        self._by_type = {scope: _blocked_of(ruleset, scope) for scope in scopes}

    def matches(self, type_: str, value: str) -> bool:
        values, patterns = self._by_type.get(type_) or self._by_type[ANY_TYPE]
        if value.casefold() in values:
            return True
        for pattern in patterns:  # noqa: SIM110  a generator costs three times as much
            if pattern.fullmatch(value):
                return True
        return False


def _blocked_of(ruleset: Ruleset, type_: str) -> tuple[frozenset[str], list[re.Pattern[str]]]:
    """What is blocked for one type, with what is blocked for all."""
    blocked = [one for one in ruleset.blocked if one.type in (type_, ANY_TYPE)]
    values = frozenset(str(one.value).casefold() for one in blocked if one.regex is None)
    return values, [re.compile(one.regex) for one in blocked if one.regex is not None]
