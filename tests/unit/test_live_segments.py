"""Which segments somebody can be in, by what there is to read of her."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cauce.segment.live import LiveSegment, LiveSegments
from cauce.vocabulary.language import Entry, Verdict, parse
from cauce.vocabulary.moment import DAY, Moment

AT = Moment(100 * DAY)
RULES = [
    "event('A').count() >= 1",
    "event('A').count() >= 1 AND trait('x') = 1",
    "NOT (event('A').within(3 days).count() >= 1)",
    "event('B').within(3 days).count() = 0",
    "event('B').where(property('n') > 1).count() >= 2 OR trait('y').exists()",
    "trait('x').absent()",
    "trait('x') != 1",
    "trait('y').before_last(5 days)",
    "event('A').sum(property('n')) < 1",
    "event('C').within(3 days).count() <= 2",
]


class Somebody:
    """A person of given traits and events."""

    def __init__(self, traits: dict[str, Any], events: dict[str, list[Entry]]) -> None:
        self.traits = traits
        self.told = events

    def trait(self, name: str) -> Any:
        """Her trait."""
        return self.traits.get(name)

    def events(self, name: str) -> list[Entry]:
        """Her events."""
        return self.told.get(name, [])


def entry(age: int) -> Entry:
    return Entry(Moment(AT - age * DAY), Moment(AT - age * DAY), str(age), "web", {"n": age})


people = st.builds(
    Somebody,
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from([1, 2, "1970-01-05T00:00:00Z"])),
    st.dictionaries(
        st.sampled_from("ABD"), st.lists(st.integers(0, 9).map(entry), min_size=1, max_size=3).map(sorted)
    ),
)


@given(people)
def test_who_is_not_eligible_is_out_for_good(person: Somebody) -> None:
    live = LiveSegments(LiveSegment(f"s{n}", parse(rule), True) for n, rule in enumerate(RULES))
    eligible = live.eligible(person.told, person.traits)
    assert [one.key for one in eligible] == sorted(one.key for one in eligible)
    for segment in live.all:
        if segment not in eligible:
            assert segment.rule.evaluate(person, AT) == Verdict(holds=False, until=None)


def test_rules_about_what_somebody_lacks_are_left_out() -> None:
    live = LiveSegments(LiveSegment(f"s{n}", parse(rule), True) for n, rule in enumerate(RULES))
    assert [one.key for one in live.eligible({"A"}, ())] == ["s0", "s1", "s2", "s3", "s5", "s8", "s9"]


def test_segments_she_stands_in_are_looked_at_whatever_they_read() -> None:
    live = LiveSegments([LiveSegment("a", parse(RULES[0]), True)])
    assert [one.key for one in live.eligible((), (), ["a", "gone"])] == ["a"]
