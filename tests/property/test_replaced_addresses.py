"""Replaced addresses: in whatever order and with whatever signatures events come, one is current."""

from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.profile.fragment import Fragment, assert_traits
from cauce.profile.replaced import replacements
from cauce.profile.survivorship import Survivorship, decide
from cauce.vocabulary.definitions import SurvivorshipRule
from cauce.vocabulary.event import Call, Event, Position
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import Moment

ADDRESSES = ("a@x.example", "b@x.example", "c@x.example")
SOURCES = ("file", "crm", "web")


class Said(NamedTuple):
    """A source said an address is hers, or that ``old`` became ``new``, at some time."""

    time: int
    source: str
    new: str
    old: str = ""


said = st.builds(
    Said,
    time=st.integers(0, 6),
    source=st.sampled_from(SOURCES),
    new=st.sampled_from(ADDRESSES),
    old=st.sampled_from(("", *ADDRESSES)),
).filter(lambda one: one.new != one.old)


def plain(history: list[Said], how: Survivorship) -> str | None:
    """The current address by the definition, read over the whole history at once."""
    changes = [one for one in history if one.old]

    def stands(one: Said) -> bool:
        return not any(change.old == one.new and one.time <= change.time for change in changes)

    told = [(one.time, number, one) for number, one in enumerate(history) if stands(one)]
    if not told:
        return None
    if how.rule is SurvivorshipRule.SOURCE_PRIORITY:
        best = min(how.sources.index(one.source) for *_, one in told)
        told = [each for each in told if each[2].source == how.sources[best]]
    return max(told)[2].new


def event(number: int, one: Said) -> Event:
    return Event(
        position=Position(number + 1),
        received=Moment(0),
        time=Moment(one.time),
        call=Call.IDENTIFY,
        name="",
        message_id=f"m{number:03}",
        source=one.source,
        identifiers=(),
        traits={"email": one.new},
        properties={},
    )


@settings(max_examples=300)
@given(
    history=st.lists(said, max_size=8),
    how=st.sampled_from((Survivorship(), Survivorship(SurvivorshipRule.SOURCE_PRIORITY, SOURCES))),
    seed=st.integers(0, 2**16),
)
def test_the_current_address_is_that_of_the_definition(
    history: list[Said], how: Survivorship, seed: int
) -> None:
    rng = Random(seed)
    numbered = list(enumerate(history))
    rng.shuffle(numbered)
    fragments: list[Fragment] = [{}, {}]
    changes = []
    for number, one in numbered:
        if one.old:
            entry = Entry(
                Moment(one.time), Moment(0), f"m{number:03}", one.source, {"old": one.old, "new": one.new}
            )
            changes.append(("Email Changed", entry))
        else:
            assert_traits(rng.choice(fragments), event(number, one), {})
    decision = decide(fragments, "email", how, replacements(changes).get("email", ()))
    assert (None if decision is None else decision.value) == plain(history, how)
