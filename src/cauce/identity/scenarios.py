"""Scenarios: stories whose truth is known, to try identity policies on.

A scenario tells events, and which identifiers are one person in truth. A policy is
good for it as far as it finds that truth, or at least knows that it does not know.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.statement import Op

IdentifierText = Annotated[str, Meta(pattern=r"^[^:\s]+:.+$", description="An identifier as type:value.")]


class Verdict(StrEnum):
    """What a policy makes of the people of a scenario, against the truth."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    """Somebody is in parts, and for all of them the parts are candidates of one another."""
    APART = "apart"
    """Somebody is in parts that nobody knows of."""
    MIXED = "mixed"
    """Two are one."""
    BOTH = "apart and mixed"


class Answer(StrEnum):
    """Whether somebody did something; unknown if a candidate of hers did."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class _Read(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read from a file; unknown keys are errors."""


class Told(_Read, frozen=True, kw_only=True):
    """An event of a scenario: of the simulation format, with what happened and what was said of a person."""

    ts: Annotated[Any, Meta(description="When: ISO 8601 with a zone, or seconds since 1970.")]
    id: Annotated[str, Meta(description="The event's id; its place in the list if not given.")] = ""
    source: Annotated[str, Meta(description="The source it came from.")] = ""
    op: Annotated[Op | None, Meta(description="A statement; without it, an observation.")] = None
    ids: Annotated[dict[str, Any], Meta(description="Identifier type → value or values.")] = {}
    events: Annotated[list[str], Meta(description="Ids of the events that a retract takes back.")] = []
    purposes: Annotated[list[str], Meta(description="Purposes of a withdraw or grant; none: all.")] = []
    event: Annotated[
        str, Meta(description="What happened: the name of an event, such as Webinar Attended.")
    ] = ""
    properties: Annotated[dict[str, Any], Meta(description="Details of what happened.")] = {}
    traits: Annotated[
        dict[str, Any], Meta(description="What it says of the person: names, a postal address, a birth date.")
    ] = {}


class Asked(_Read, frozen=True, kw_only=True):
    """A question about somebody: did she do something? The truth follows from the people and the events."""

    did: Annotated[str, Meta(min_length=1, description="The name of an event.")]
    who: Annotated[IdentifierText, Meta(description="Any identifier of the person asked about.")]
    expect: Annotated[dict[str, Answer], Meta(description="Policy → the answer it must give.")] = {}


class Mailbox(_Read, frozen=True, kw_only=True):
    """What must be known of an e-mail address wherever the people are right."""

    address: Annotated[str, Meta(min_length=3, description="The address, in lower case.")]
    superseded_by: Annotated[str, Meta(description="The address that took its place.")] = ""
    typo_of: Annotated[str, Meta(description="The address that was meant.")] = ""
    dead: Annotated[bool, Meta(description="Whether mail to it comes back.")] = False
    role: Annotated[bool, Meta(description="Whether it names an office.")] = False
    kept_out: Annotated[
        bool, Meta(description="Whether it was told again after it had been superseded, with an older time.")
    ] = False


class Scenario(_Read, frozen=True, kw_only=True):
    """A story of some people, as events, and the truth about them."""

    id: Annotated[str, Meta(min_length=1, description="The name of the scenario.")]
    owner: Annotated[str, Meta(min_length=1, description="Who answers for it.")]
    title: Annotated[str, Meta(min_length=1, description="What happens, in a line.")]
    description: Annotated[str, Meta(description="What happens and why it matters, in plain words.")] = ""
    events: Annotated[list[Told], Meta(min_length=1, description="What happened, in the order of delivery.")]
    people: Annotated[
        dict[str, list[IdentifierText]],
        Meta(min_length=1, description="The truth: person → all of her identifiers, as type:value."),
    ]
    nobody: Annotated[
        list[IdentifierText], Meta(description="Identifiers that are nobody's, such as a shared mailbox.")
    ] = []
    expect: Annotated[dict[str, Verdict], Meta(description="Policy → what it must make of the people.")] = {}
    questions: Annotated[list[Asked], Meta(description="What is asked about the people.")] = []
    addresses: Annotated[list[Mailbox], Meta(description="What must be known of addresses.")] = []
