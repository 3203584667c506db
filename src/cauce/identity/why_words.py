"""What identity says of its reasons, as message keys with parameters, and the English sentences of them.

Whoever shows a reason in another language has a catalogue of his own: a template for each key.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from cauce.vocabulary.moment import Moment, to_iso


class Reason(StrEnum):
    """Why two identifiers are not one person's."""

    LIMIT = "limit"
    WINDOW = "window"
    NEVER = "never"
    SHARED = "shared"
    CAP = "cap"
    CONTRADICTION = "contradiction"
    TOO_MANY = "too_many"
    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    UNLISTED = "unlisted"
    BLOCKED_BETWEEN = "blocked_between"
    UNLISTED_BETWEEN = "unlisted_between"
    THIRD = "third"
    UNSEEN = "unseen"
    UNKNOWN = "unknown"


class Held(StrEnum):
    """What makes two identifiers one person's."""

    SEEN = "seen"
    SEEN_ONCE = "seen_once"
    STATED = "stated"
    EQUAL = "equal"


class Preferred(StrEnum):
    """Why one of two links was tried before the other."""

    TYPE = "type"
    STRENGTH = "strength"
    NEWER = "newer"
    OLDER = "older"
    STRONGER_TYPE = "stronger_type"
    VALUE = "value"


class Change(StrEnum):
    """What would make one person of two."""

    RAISE_LIMIT = "raise_limit"
    RETRACT = "retract"
    STATE_SAME = "state_same"
    TAKE_BACK_NEVER = "take_back_never"
    RAISE_MAX_OWNERS = "raise_max_owners"
    RAISE_MAX_IDS = "raise_max_ids"
    UNBLOCK = "unblock"
    LIST_TYPE = "list_type"
    SEE_TOGETHER = "see_together"
    SEE = "see"


class Verdict(StrEnum):
    """Whether two identifiers are one person's."""

    ONE = "one_person"
    TWO = "two_people"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


class Said(NamedTuple):
    """A sentence to be said: its key, and the values in it."""

    key: StrEnum
    values: Mapping[str, Any]

    @property
    def message(self) -> str:
        """The name of the sentence in a catalogue, as ``reason.limit``."""
        return f"{type(self.key).__name__.lower()}.{self.key}"


ENGLISH: dict[str, str] = {
    "verdict.one_person": "{one} and {other} are one person.",
    "verdict.two_people": "{one} and {other} are two people.",
    "verdict.nobody": "{one} and {other} are not one person: {nobody} is nobody's.",
    "verdict.unknown": "Nothing can be said of {one} and {other}: {unknown} was never seen.",
    "held.seen": "{here} and {there} were seen together {events} times, by {sources}, from {first} to {last}",
    "held.seen_once": "{here} and {there} were seen together once, by {sources}, at {first}",
    "held.stated": "{here} and {there} were stated to be one at {time} (event {statement})",
    "held.equal": "the two are one identifier",
    "reason.limit": "the profile would have {count} values of {type}, and the limit is {limit}",
    "reason.window": "the profile would have more than {limit} new values of {type} within {window} seconds",
    "reason.never": "it was stated at {time} that {here} and {there} never share a profile "
    "(event {statement})",
    "reason.shared": "the {type} is shared: it was seen with more than {limit} values of a stronger type",
    "reason.cap": "the {type} was seen with more than {limit} identifiers: "
    "its links to {weakest} and weaker types do not count",
    "reason.contradiction": "the events that carry both contradict themselves: "
    "they name more than one {type} ({values})",
    "reason.too_many": "the events that carry both carry too many identifiers: {count}, and {limit} may link",
    "reason.retracted": "the events that say so were retracted, or consent for them was withdrawn",
    "reason.withdrawn": "consent was withdrawn for the events that say so",
    "reason.blocked": "the value of {identifier} is blocked: it is nobody's",
    "reason.unlisted": "the rules list no type {type}",
    "reason.blocked_between": "both were seen with {identifier}, and that value is blocked: it is nobody's",
    "reason.unlisted_between": "both were seen with {identifier}, and the rules list no type {type}",
    "reason.third": "both were seen with {identifier}, which is another person's",
    "reason.unseen": "no event carries both, or identifiers of both people",
    "reason.unknown": "{identifier} was never seen",
    "preferred.type": "it was tried first, because {weaker} is of a stronger type than {other}",
    "preferred.strength": "it was tried first, because its source is trusted more",
    "preferred.newer": "it was tried first, because it is newer",
    "preferred.older": "it was tried first, because it is older",
    "preferred.stronger_type": "it was tried first, because {stronger} is of a stronger type than {other}",
    "preferred.value": "it was tried first: the two are equally good, and the order of their values decides",
    "change.raise_limit": "if the limit of {type} were {limit}",
    "change.retract": "if the events that carry {stronger} and {weaker} were retracted",
    "change.state_same": "if {one} and {other} were stated to be one",
    "change.take_back_never": "if the statement {statement} were retracted",
    "change.raise_max_owners": "if max_owners of {type} were so high that {identifier} is not shared",
    "change.raise_max_ids": "if max_ids_per_event were {count}",
    "change.unblock": "if {identifier} were not blocked",
    "change.list_type": "if the rules listed the type {type}",
    "change.see_together": "if an event carried both",
    "change.see": "once an event carries {identifier}",
}


def sentence(said: Said, words: Mapping[str, str] = ENGLISH) -> str:
    """The sentence in the language of a catalogue."""
    return words[said.message].format_map({name: _shown(name, value) for name, value in said.values.items()})


def _shown(name: str, value: Any) -> str:
    if name in _TIMES:
        return to_iso(Moment(value))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


_TIMES = ("time", "first", "last")
