"""People for the tests of the rule language."""

from typing import Any

from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.language import Entry, Verdict, parse
from cauce.vocabulary.moment import DAY, Moment

T = Moment(1_767_261_600_000_000)  # 2026-01-01T10:00:00Z


class Someone:
    """A person with traits written as JSON and events by name."""

    def __init__(self, traits: str = "{}", **events: list[Entry]) -> None:
        self._traits: Any = decode_json(traits)
        self._events = {name.replace("_", " "): entries for name, entries in events.items()}

    def trait(self, name: str) -> Any:
        return self._traits.get(name)

    def events(self, name: str) -> list[Entry]:
        return self._events.get(name, [])


def entry(age: float, properties: str = "{}", source: str = "web", at: Moment = T) -> Entry:
    """An event of an age in days; negative ages are still to come."""
    time = Moment(at - round(age * DAY))
    return Entry(time, at, f"m{age}", source, decode_json(properties))


def verdict(rule: str, someone: Someone, at: Moment = T) -> Verdict:
    return parse(rule).evaluate(someone, at)


def holds(rule: str, someone: Someone, at: Moment = T) -> bool:
    return verdict(rule, someone, at).holds
