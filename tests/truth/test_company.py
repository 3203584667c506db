"""The generated company: what it holds, that it repeats, and that its truth is sound."""

from collections import Counter

import pytest

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import DAY, HOUR, Moment, parse_iso
from demo.chronicle import LIVE_SOURCES
from demo.company import generate
from demo.scenario import Kind
from demo.scoring import true_groups

UNTIL = parse_iso("2026-06-30T12:00:00Z")
EMAIL_SCENARIOS = {f"EM-{number:02d}" for number in range(1, 15)}


@pytest.fixture(scope="module")
def company():
    return generate(until=UNTIL)


def test_the_company_is_as_large_as_promised(company):
    assert len(company.people) == 200
    assert company.until - company.start == 90 * DAY
    assert len(company.records) >= 8_000
    assert len({record.event for record in company.records}) >= 12
    assert {record.source for record in company.records} == {*LIVE_SOURCES, "crm", "webinar"}


def test_events_lie_within_the_days_and_in_order(company):
    times = [record.time for record in company.records]
    assert times == sorted(times)
    assert company.start <= times[0]
    assert times[-1] < company.until


def test_record_ids_are_distinct(company):
    counted = Counter((record.source, record.id) for record in company.records)
    assert counted.most_common(1)[0][1] == 1


def test_all_fourteen_scenarios_take_part_with_people_who_exist(company):
    assert {scenario.id for scenario in company.scenarios} >= EMAIL_SCENARIOS
    names = {person.name for person in company.people}
    for scenario in company.scenarios:
        assert names.issuperset(scenario.people), scenario.id
        assert scenario.identifiers <= company.truth.identifiers.keys(), scenario.id
        assert scenario.knowable or scenario.why, scenario.id


def test_the_same_seed_gives_the_same_company_at_any_time(company):
    shift = 3 * DAY + 5 * HOUR
    later = generate(until=Moment(UNTIL + shift))
    assert later.truth == company.truth
    assert later.scenarios == company.scenarios
    assert [(r.source, r.id, r.person, r.time - shift) for r in later.records] == [
        (r.source, r.id, r.person, r.time) for r in company.records
    ]
    assert generate(until=UNTIL, seed=5).truth != company.truth


def test_a_scenario_marked_knowable_expects_the_truth(company):
    """``expected`` puts two identifiers in one group exactly if one person owns both."""
    for scenario in company.scenarios:
        alone = {frozenset({name}) for name in scenario.absent}
        right = true_groups(scenario, company.truth) == {*scenario.expected, *alone}
        assert right == scenario.knowable, scenario.id


def test_every_shared_value_is_declared_and_owned_by_a_stated_rule(company):
    for name, owned in company.truth.identifiers.items():
        if owned.kind is Kind.OWN:
            assert owned.users == {owned.owner}, name
        elif owned.kind is Kind.NOBODY:
            assert owned.owner is None, name
        else:
            assert owned.owner in owned.users, name
    kinds = Counter(owned.kind for owned in company.truth.identifiers.values())
    assert all(kinds[kind] for kind in Kind)


def test_knowable_identifiers_belong_to_one_person(company):
    owner_of_label: dict[str, set[object]] = {}
    for name, label in company.truth.knowable.items():
        owner_of_label.setdefault(label, set()).add(company.truth.identifiers[name].owner)
    assert all(len(owners) == 1 for owners in owner_of_label.values())


def test_no_order_lies_close_to_the_edge_of_thirty_days(company):
    """The demo's windows give the same members however long the demo runs, up to an hour."""
    edge = company.until - 30 * DAY
    watched = ("Order Completed", "Product Added", "Webinar Attended", "Demo Requested")
    near = [r for r in company.records if r.event in watched and abs(r.time - edge) < HOUR]
    assert near == []


def test_the_company_grows_and_shrinks():
    small = generate(until=UNTIL, people=120, days=30)
    assert len(small.people) == 120
    assert small.records[0].time >= UNTIL - 30 * DAY
    assert {scenario.id for scenario in small.scenarios} >= EMAIL_SCENARIOS
    large = generate(until=UNTIL, people=700)
    assert len({person.email for person in large.people}) == 700
    with pytest.raises(InvalidInput, match="people="):
        generate(until=UNTIL, people=10)
