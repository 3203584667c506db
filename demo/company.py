"""The generated company: one call makes all its records, its people and the truth about them."""

import random
from dataclasses import dataclass

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import DAY, Moment
from demo import beyond_reach, mishaps, within_reach
from demo.campaigns import send_campaigns
from demo.chronicle import Chronicle, Record
from demo.lives import ordinary_person, share_tablets
from demo.people import Crowd, Person
from demo.scenario import Scenario
from demo.truth import Truth, truth_of

SEED = 4
PEOPLE = 200
DAYS = 90
FEWEST_DAYS = 30

_STORIES = beyond_reach.STORIES + within_reach.STORIES + mishaps.STORIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A generated company: ``records`` in order of time, and who is who."""

    start: Moment
    until: Moment
    people: tuple[Person, ...]
    records: tuple[Record, ...]
    scenarios: tuple[Scenario, ...]
    truth: Truth


def generate(*, until: Moment, people: int = PEOPLE, days: int = DAYS, seed: int = SEED) -> Company:
    """A company of ``people`` over the ``days`` that end at ``until``.

    The same seed gives the same people, ids and events; ``until`` only moves
    them in time. The scenarios always take part; they need some 70 people and 30
    days. Raises ``InvalidInput``.
    """
    if days < FEWEST_DAYS:
        raise InvalidInput(
            f"{days} days are too few to tell the stories.", hint=f"Pass days={FEWEST_DAYS} or more."
        )
    chronicle = Chronicle(random.Random(seed), start=Moment(until - days * DAY), days=days)
    crowd = Crowd(chronicle.rng)
    scenarios = tuple(story(chronicle, crowd) for story in _STORIES)
    if len(crowd.people) > people:
        needed = len(crowd.people)
        raise InvalidInput(
            f"The scenarios alone take {needed} people.", hint=f"Pass people={needed} or more."
        )
    others = [ordinary_person(chronicle, crowd) for _ in range(people - len(crowd.people))]
    share_tablets(chronicle, others)
    send_campaigns(chronicle, {person.number: person for person in others})
    records = tuple(sorted(chronicle.records, key=lambda record: (record.time, record.id)))
    return Company(
        start=chronicle.start,
        until=until,
        people=tuple(crowd.people),
        records=records,
        scenarios=tuple(sorted(scenarios, key=lambda scenario: scenario.id)),
        truth=truth_of(records, chronicle.declared),
    )
