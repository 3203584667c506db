"""What other identity rules would make of the same events, as it is printed and answered."""

from typing import Any

import msgspec


class Somebody(msgspec.Struct, frozen=True):
    """A person: her public id, how many identifiers she has, and the strongest 20 of them."""

    profile_id: str
    size: int
    identifiers: list[str]


class Link(msgspec.Struct, frozen=True):
    """Two identifiers that events carried together; ``reason`` says why that does not join them.

    ``events`` counts the events of all ``sources``, of which the first and the last were at these
    times. ``stated``: somebody stated then that the two are one, whatever events carried.
    """

    stronger: str
    weaker: str
    sources: list[str]
    events: int
    first_time: str
    last_time: str
    reason: str = ""
    stated: bool = False


class Said(msgspec.Struct, frozen=True):
    """The value that a trait has for one of the people before, and which source said so when."""

    profile_id: str
    value: Any
    source: str
    time: str


class Contradiction(msgspec.Struct, frozen=True):
    """A trait of which people that come together have different values: how many, and some of them.

    ``meaning`` is ``first name``, ``last name``, ``name`` or ``birth date`` if the trait is one.
    """

    trait: str
    meaning: str
    distinct: int
    values: list[Said]


class Merge(msgspec.Struct, frozen=True):
    """Several people who become one: who they are, the links that join them, and what contradicts it.

    ``count`` is how many become ``person``; 20 of them are in ``people``, and the first
    20 ``links``, best first, that bring them together.
    """

    person: Somebody
    count: int
    people: list[Somebody]
    links: list[Link]
    contradictions: list[Contradiction]


class Split(msgspec.Struct, frozen=True):
    """One person who becomes several: who they are, and the links that do not join them any more.

    ``count`` is how many ``person`` becomes; 20 of them are in ``people``.
    """

    person: Somebody
    count: int
    people: list[Somebody]
    links: list[Link]


class Merges(msgspec.Struct, frozen=True):
    """All merges: how many people come of them, out of how many; and the 20 that ask to be looked at.

    ``largest`` by identifiers, ``mixed`` by names and birth dates that come together in
    one person, ``contradicting`` by traits of which the people have different values.
    """

    count: int
    people: int
    largest: list[Merge]
    mixed: list[Merge]
    contradicting: list[Merge]


class Splits(msgspec.Struct, frozen=True):
    """All splits: how many people fall apart, into how many; and the 20 largest by identifiers."""

    count: int
    people: int
    largest: list[Split]


class SegmentSize(msgspec.Struct, frozen=True):
    """A segment with other members: how many it has before and after, and how many enter and leave."""

    segment: str
    before: int
    after: int
    entering: int
    leaving: int


class WhatIf(msgspec.Struct, frozen=True):
    """People before and after; those who ``vanish`` have no identifier any more that counts,
    those who ``appear`` have none that counted before.
    """

    before: int
    after: int
    vanish: int
    appear: int
    merges: Merges
    splits: Splits
    segments: list[SegmentSize]
