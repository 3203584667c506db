"""What a plan says of other identity rules is what comes of applying them."""

from collections import Counter
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cauce.activate.records import delivery
from cauce.app.applying import take_in
from cauce.app.compose import Composition
from cauce.app.plan.identity_model import Merge, Split, WhatIf
from cauce.app.plan.planning import make_plan
from cauce.identity.rules import default_rules
from cauce.segment.records import membership
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.definitions import SegmentDef, WebhookDef
from cauce.vocabulary.moment import HOUR, Moment
from tests.property.small_company import HISTORIES, RULES, Line
from tests.property.small_space import ANALYST, OWNER, applied, closed, defined, folded, log_lines, space

CRM = WebhookDef(name="crm", owner=OWNER, url="https://x.example/", secret="env:NONE")
NAMED = 20


def segment(key: str, *, anonymous: bool = True) -> SegmentDef:
    return SegmentDef(key=key, owner=OWNER, rule=RULES[key], anonymous=anonymous, destinations=("crm",))


SEGMENTS = tuple(segment(key) for key in ("buyers", "lapsed", "gold", "not_gold", "high_score"))
SEGMENTS += (segment("big", anonymous=False), segment("free_mail", anonymous=False))


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """The default rules with other limits, priorities, policies and blocked values."""
    found = deepcopy(default_rules())
    types = {one["type"]: one for one in found["identifiers"]}
    user, email, device = (types[name] for name in ("user_id", "email", "anonymous_id"))
    user["limit"] = draw(st.sampled_from([1, 1, 2, 3]))
    email["limit"] = draw(st.sampled_from([1, 2, 5]))
    device["max_owners"] = draw(st.sampled_from([1, 50]))
    device["conflict"] = draw(st.sampled_from(["newest", "oldest"]))
    if draw(st.integers(0, 4)) == 0:
        device["normalize"] = "phone"  # the digits: other identifiers
    listed = [one for one in (user, email, device) if one is not user or draw(st.integers(0, 5))]
    found["identifiers"] = draw(st.permutations(listed)) if draw(st.booleans()) else listed
    if draw(st.integers(0, 3)) == 0:
        found["blocked"] = [
            *found["blocked"],
            {"type": "*", "regex": draw(st.sampled_from(["d1", "u1", "a@.*"]))},
        ]
    if draw(st.integers(0, 3)) == 0:
        email["window"] = 24 * 60 * 60
    if draw(st.integers(0, 4)) == 0:
        found["purpose"] = "ads"
    if draw(st.booleans()):
        found["strength"] = {"crm": draw(st.sampled_from([-1, 1]))}
    return found


def retracting(line: Line) -> Line:
    """A line whose retractions name events as they are logged."""
    said = line.body.get("statement", {})
    if "events" not in said:
        return line
    events = [f"0-{one}" for one in said["events"]]
    return line._replace(body=line.body | {"statement": said | {"events": events}})


class Seen(NamedTuple):
    """Who has which identifiers, who is in which segment, and what was queued for destinations."""

    people: dict[str, frozenset[str]]
    members: set[tuple[str, str]]
    deliveries: Counter[int]


def seen(composition: Composition) -> Seen:
    with composition.state.read() as reader:
        keys = [one.profile for one in composition.identity.everybody(reader)]
        described = composition.identity.describe(reader, keys)
        named = {key: one.profile_id for key, one in described.items()}
        people = {one.profile_id: frozenset(map(str, one.identifiers)) for one in described.values()}
        rows = reader.select(select(membership.c.segment, membership.c.profile))
        members = {(name, named[profile]) for name, profile in rows}
        told = Counter(row[0] for row in reader.select(select(delivery.c.entered)))
    return Seen(people, members, told)


def people_agree(found: WhatIf, before: Seen, after: Seen) -> None:
    pairs = {(b, a) for b, mine in before.people.items() for a, hers in after.people.items() if mine & hers}
    into = {a: {b for b, other in pairs if other == a} for a in after.people}
    out_of = {b: {a for one, a in pairs if one == b} for b in before.people}
    merged = {a: some for a, some in into.items() if len(some) > 1}
    split = {b: some for b, some in out_of.items() if len(some) > 1}
    assert (found.before, found.after) == (len(before.people), len(after.people))
    assert found.vanish == sum(not some for some in out_of.values())
    assert found.appear == sum(not some for some in into.values())
    assert (found.merges.count, found.merges.people) == (len(merged), len(set().union(*merged.values())))
    assert (found.splits.count, found.splits.people) == (len(split), len(set().union(*split.values())))
    for group, parts, whole, pieces in (
        (found.merges.largest, merged, after.people, before.people),
        (found.splits.largest, split, before.people, after.people),
    ):
        sizes = [one.person.size for one in group]
        assert sizes == sorted(sizes, reverse=True)
        assert {one.person.profile_id for one in group} == parts.keys()  # fewer than 20 in a small company
        for one in group:
            assert set(one.person.identifiers) == whole[one.person.profile_id]
            assert {two.profile_id for two in one.people} == parts[one.person.profile_id]
            assert all(set(two.identifiers) == pieces[two.profile_id] for two in one.people)
            links_agree(one, pieces)


def links_agree(one: Merge | Split, pieces: dict[str, frozenset[str]]) -> None:
    """The links go between the parts, each a step that brings two together, and all together."""
    inside = set(one.person.identifiers)
    parts = [pieces[two.profile_id] & inside for two in one.people]
    parts += [frozenset({alone}) for alone in inside.difference(*parts)]
    for link in one.links:
        first, second = (next(part for part in parts if end in part) for end in (link.stronger, link.weaker))
        assert first is not second
        parts = [part for part in parts if part not in (first, second)] + [first | second]
        assert link.stated == (link.events == 0)
        assert link.first_time <= link.last_time
        assert bool(link.reason) == isinstance(one, Split)
    assert len(parts) == 1


def segments_agree(found: WhatIf, before: Seen, after: Seen) -> None:
    was, now = (Counter(key for key, _ in one.members) for one in (before, after))
    entering = Counter(key for key, _ in after.members - before.members)
    leaving = Counter(key for key, _ in before.members - after.members)
    changed = sorted(entering.keys() | leaving.keys())
    told = [(one.segment, one.before, one.after, one.entering, one.leaving) for one in found.segments]
    assert told == [(key, was[key], now[key], entering[key], leaving[key]) for key in changed]


ANN = Line(
    1, 0, "web", {"type": "identify", "userId": "u1", "traits": {"email": "a@x.example", "plan": "gold"}}
)
BOB = Line(
    1, 0, "web", {"type": "identify", "userId": "u2", "traits": {"email": "a@x.example", "plan": "free"}}
)
TWO = default_rules() | {
    "identifiers": [{"type": "user_id", "limit": 2}, *default_rules()["identifiers"][1:]]
}


@example(lines=[ANN, BOB], first=default_rules(), then=TWO, wait=0)
@example(lines=[ANN, BOB], first=TWO, then=default_rules(), wait=100)
@settings(max_examples=max(15, settings.default.max_examples // 4))
@given(lines=HISTORIES, first=rules(), then=rules(), wait=st.integers(0, 120))
def test_what_if_tells_what_applying_does(
    lines: list[Line], first: dict[str, Any], then: dict[str, Any], wait: int
) -> None:
    with TemporaryDirectory() as name:
        composition = space(Path(name))
        start = log_lines(composition, list(map(retracting, lines)))
        at = Moment(start + wait * HOUR)
        composition = folded(
            applied(composition, defined(first, segments=SEGMENTS, destinations=(CRM,)), at), at
        )
        before = seen(composition)
        candidate = defined(then, segments=SEGMENTS, destinations=(CRM,))
        plan = make_plan(composition, candidate, now=at, purpose=OPERATIONS, viewer=ANALYST)
        assert seen(composition) == before
        applied(composition, candidate, at)
        assert take_in(composition, composition.versions.latest(), lambda: at, wait_seconds=0, rebuild=True)
        after = seen(composition.renewed())
        if plan.what_if is None:
            assert after.people == before.people
        else:
            people_agree(plan.what_if, before, after)
            segments_agree(plan.what_if, before, after)
            promised = {1: sum(one.entering for one in plan.deliveries)}
            promised[0] = sum(one.leaving for one in plan.deliveries)
            made = after.deliveries - before.deliveries
            assert made == Counter({which: count for which, count in promised.items() if count})
        closed(composition)
