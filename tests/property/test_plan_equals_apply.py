"""The people whom a plan names are exactly those whom applying it then changes."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cauce.activate.records import delivery
from cauce.app.applying import apply, take_in
from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.pipeline import CLOCK
from cauce.app.plan.model import Plan
from cauce.app.plan.planning import make_plan
from cauce.app.settings_file import settings_file
from cauce.app.worker import Worker
from cauce.govern.access import Scope
from cauce.identity.rules import default_rules
from cauce.segment.records import membership
from cauce.vocabulary.access import OPERATIONS, Viewer
from cauce.vocabulary.definitions import (
    Definitions,
    IdentityDef,
    SegmentDef,
    SourceDef,
    SourceKind,
    SurvivorshipRule,
    TraitDef,
    WebhookDef,
)
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.moment import HOUR, Moment
from tests.property.small_company import COMPUTED, LINES, RULES, Line, logged

ANALYST = Viewer("analyst", frozenset(Scope))
OWNER = "test"


class Choice(NamedTuple):
    """What somebody writes down: segments, how the plan survives, destinations, and computed traits."""

    segments: dict[str, tuple[str, bool, tuple[str, ...]]]
    plan: SurvivorshipRule | None
    destinations: frozenset[str]
    computed: dict[str, str] = {}


EXPRESSIONS = {
    "revenue": [COMPUTED["revenue"], "event('Order Completed').sum('total')"],
    "average": [COMPUTED["average"], "event('Order Completed').min('total')"],
    "largest": [COMPUTED["largest"]],
    "large": ["event('Order Completed').where(property('total') >= trait('average')).count()"],
    "plan": ["event('Order Completed').last('total')"],
    "score": ["event('Order Completed').count()"],
}
"""Traits and what computes them; `largest` and `large` read another, `plan` and `score` are asserted too."""
TRAITS = (*EXPRESSIONS, "city")


@st.composite
def choices(draw: Any) -> Choice:
    destinations = draw(st.frozensets(st.sampled_from(["crm", "mail"])))
    segments = {}
    for key in draw(st.sets(st.sampled_from(["a", "b", "c"]))):
        rule = RULES[draw(st.sampled_from(sorted(RULES)))]
        told = draw(st.sets(st.sampled_from(sorted(destinations)))) if destinations else set()
        segments[key] = (rule, draw(st.booleans()), tuple(sorted(told)))
    rules = [None, SurvivorshipRule.OLDEST, SurvivorshipRule.NEWEST, SurvivorshipRule.MOST_FREQUENT]
    named = sorted(draw(st.sets(st.sampled_from(sorted(EXPRESSIONS)))))
    computed = {name: draw(st.sampled_from(EXPRESSIONS[name])) for name in named}
    return Choice(segments, draw(st.sampled_from(rules)), destinations, computed)


def definitions(choice: Choice) -> Definitions:
    """The choice as definitions, beside the identity view and the sources."""
    traits = {name: TraitDef(name=name, owner=OWNER, compute=text) for name, text in choice.computed.items()}
    if choice.plan and "plan" not in traits:
        traits["plan"] = TraitDef(name="plan", owner=OWNER, survivorship=choice.plan)
    return Definitions(
        sources={name: SourceDef(name=name, owner=OWNER, kind=SourceKind.WEB) for name in ("web", "crm")},
        identities={"person": IdentityDef(name="person", owner=OWNER, rules=default_rules())},
        traits=traits,
        segments={
            key: SegmentDef(key=key, owner=OWNER, rule=rule, anonymous=anonymous, destinations=told)
            for key, (rule, anonymous, told) in choice.segments.items()
        },
        destinations={
            name: WebhookDef(name=name, owner=OWNER, url="https://x.example/", secret="env:NONE")
            for name in choice.destinations
        },
    )


def space(folder: Path) -> Composition:
    (folder / "cauce.yaml").write_text(settings_file())
    return Composition(folder)


def folded(composition: Composition, lines: list[Line], at: Moment) -> Composition:
    """The space with the lines folded under the applied version."""
    for row in logged(lines):
        accepted = Accepted(
            message_id=row.message_id,
            time=row.time,
            call=row.call,
            name=row.name,
            source=row.source,
            body=row.body,
        )
        composition.log.append([accepted], [], now=row.received)
    composition = bring_into_force(composition.renewed(), lambda: at)
    worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: at)
    while worker.step():
        pass
    return composition.renewed()


class Seen(NamedTuple):
    """Who is in which segment, the traits of all, and the deliveries there are, by public id."""

    members: set[tuple[str, str]]
    values: dict[tuple[str, str], Any]
    deliveries: dict[tuple[str, int], int]


def seen(composition: Composition, at: Moment) -> Seen:
    with composition.state.read() as reader:
        people = {one.profile: list(one.signatures) for one in composition.identity.everybody(reader)}
        named = {
            key: one.profile_id for key, one in composition.identity.describe(reader, list(people)).items()
        }
        persons = composition.profiles.persons(reader, people)
        rows = reader.select(select(membership.c.segment, membership.c.profile))
        told: dict[tuple[str, int], int] = {}
        for name, entered in reader.select(select(delivery.c.destination, delivery.c.entered)):
            told[name, entered] = told.get((name, entered), 0) + 1
    return Seen(
        {(segment, named[profile]) for segment, profile in rows},
        {
            (name, named[key]): composition.profiles.values(one, at)(name)
            for key, one in persons.items()
            for name in TRAITS
        },
        told,
    )


def foretold(plan: Plan, what: str) -> set[tuple[str, str]]:
    """The people of one kind of effect, each with the definition that touches her; all are named."""
    found = set()
    for change in plan.changes:
        for effect in change.effects:
            if effect.what == what:
                assert effect.count == len(effect.people)  # fewer than 20 people in a small company
                found |= {(change.name, person.profile_id) for person in effect.people}
    return found


def values_of(plan: Plan) -> dict[tuple[str, str], tuple[Any, Any]]:
    """The values before and after of everybody whose value of a trait changes, by trait and public id."""
    return {
        (change.name, person.profile_id): (person.before, person.after)
        for change in plan.changes
        for effect in change.effects
        if effect.what == "value changes"
        for person in effect.people
    }


def plan_is(value: str) -> Line:
    """An identify call of one person."""
    return Line(1, 0, "web", {"type": "identify", "userId": "u1", "traits": {"plan": value}})


FREQUENT = [plan_is("gold"), plan_is("gold"), plan_is("free")]
"""The newest plan is not the most frequent one, and fragments kept one assertion of each."""
NOTHING = Choice({}, None, frozenset())
GOLD = Choice({"a": (RULES["gold"], True, ())}, SurvivorshipRule.MOST_FREQUENT, frozenset())


COMPUTING = COMPUTED | {"large": EXPRESSIONS["large"][0]}
SPENDING = Choice({"a": (RULES["spender"], True, ())}, None, frozenset(), COMPUTING)
SPENT = Choice({}, None, frozenset(), COMPUTING | {"average": EXPRESSIONS["average"][1]})
BOUGHT = {"type": "track", "userId": "u1", "event": "Order Completed", "properties": {"total": 5}}
BOUGHT_AGAIN = BOUGHT | {"properties": {"total": 12.5}}
ORDER = Line(1, 0, "web", {"type": "track", "userId": "u1", "event": "Order Completed"})
TELLING = Choice({"a": (RULES["buyers"], False, ("crm", "mail"))}, None, frozenset({"crm", "mail"}))


@example(
    lines=[Line(1, 0, "web", BOUGHT), Line(1, 0, "web", BOUGHT_AGAIN)],
    first=SPENT,
    then=SPENDING,
    wait=0,
    idle=0,
)
@example(lines=[Line(1, 0, "web", BOUGHT)], first=NOTHING, then=SPENDING, wait=0, idle=0)
@example(lines=[ORDER], first=TELLING, then=NOTHING, wait=0, idle=0)
@example(lines=FREQUENT, first=NOTHING, then=GOLD, wait=0, idle=0)
@settings(max_examples=max(10, settings.default.max_examples // 10))
@given(lines=LINES, first=choices(), then=choices(), wait=st.integers(0, 120), idle=st.integers(0, 60))
def test_a_plan_names_exactly_those_whom_applying_changes(
    lines: list[Line], first: Choice, then: Choice, wait: int, idle: int
) -> None:
    with TemporaryDirectory() as name:
        composition = space(Path(name))
        start = logged(lines)[-1].received
        apply(composition, definitions(first), at=None, now=start, viewer=ANALYST)
        at = Moment(start + wait * HOUR)
        composition = folded(composition, lines, at)
        now = Moment(at + idle * HOUR)  # timers may be due that nobody has fired
        candidate = definitions(then)
        plan = make_plan(composition, candidate, now=now, purpose=OPERATIONS, viewer=ANALYST)
        unchanged = composition.with_definitions(composition.definitions, composition.applied)
        unchanged.pipeline.pass_time(now)
        before = seen(composition, now)
        again = make_plan(composition, candidate, now=now, purpose=OPERATIONS, viewer=ANALYST)
        assert again == plan  # time that passes by itself is not the definitions' doing
        version = apply(composition, candidate, at=plan.position, now=now, viewer=ANALYST)
        assert (version is None) == (not plan.changes)
        if version is not None:
            assert take_in(composition, version.number, lambda: now, wait_seconds=0)
        applied = composition.renewed()
        after = seen(applied, now)
        assert foretold(plan, "entering") == after.members - before.members
        assert foretold(plan, "leaving") == before.members - after.members
        differing = {one for one in after.values if after.values[one] != before.values[one]}
        assert foretold(plan, "value changes") == differing
        assert values_of(plan) == {one: (before.values[one], after.values[one]) for one in differing}
        made = {key: n - before.deliveries.get(key, 0) for key, n in after.deliveries.items()}
        promised = {(one.destination, 1): one.entering for one in plan.deliveries}
        promised |= {(one.destination, 0): one.leaving for one in plan.deliveries}
        assert {k: n for k, n in made.items() if n} == {k: n for k, n in promised.items() if n}
        twice = make_plan(applied, candidate, now=now, purpose=OPERATIONS, viewer=ANALYST)
        assert (twice.changes, twice.deliveries) == ([], [])
        assert apply(applied, candidate, at=None, now=now, viewer=ANALYST) is None
        with applied.state.read() as reader:
            assert reader.progress(CLOCK) <= now
        for store in (composition.state, composition.control, composition.log):
            store.close()
