"""The shapes of compiled rules: closures over one person, one event and a moment."""

from collections.abc import Callable
from typing import Any, NamedTuple

from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.moment import Moment

Read = Callable[[Person, Entry, Moment], Any]
"""Gives a value; None if absent."""

Test = Callable[[Person, Entry, Moment], bool]
"""Tells whether a condition holds."""

Look = Callable[[Person, Entry, Moment], tuple[bool, Moment]]
"""Tells whether a condition holds, and until when that is certain without a new event."""

NEVER = Moment(2**63 - 1)
"""Later than any moment."""

NO_EVENT = Entry(Moment(0), Moment(0), "", "", {})
"""The event of conditions outside ``where``; nothing there reads it."""


class Compiled(NamedTuple):
    """A condition; ``look`` is None if time alone never changes it."""

    test: Test
    look: Look | None


def looking(compiled: Compiled) -> Look:
    """A look, also at a condition that time alone never changes."""
    if compiled.look is not None:
        return compiled.look
    test = compiled.test
    return lambda person, entry, at: (test(person, entry, at), NEVER)


def timed(look: Look) -> Compiled:
    """A condition that time alone can change."""
    return Compiled(lambda person, entry, at: look(person, entry, at)[0], look)
