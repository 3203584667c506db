"""A few people whose events collide: logs for comparing ways of folding them."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from cauce.activate.service import Activation
from cauce.app.log_past import LogPast
from cauce.app.pipeline import Pipeline
from cauce.govern.access import Access
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.profile.survivorship import Survivorship
from cauce.segment.live import LiveSegment, LiveSegments
from cauce.storage.records import STATE, Records
from cauce.vocabulary.definitions import SurvivorshipRule
from cauce.vocabulary.event import Call, Event, Logged, Position, read_event
from cauce.vocabulary.language import compile_traits, parse
from cauce.vocabulary.moment import DAY, HOUR, Moment

START = Moment(1_780_000_000_000_000)

RULES = {
    "buyers": "event('Order Completed').count() >= 1",
    "busy_week": "event('Page Viewed').within(7 days).count() >= 2",
    "lapsed": "event('Order Completed').count() >= 1"
    " AND NOT (event('Order Completed').within(3 days).count() >= 1)",
    "gap": "event('Page Viewed').between(1 days, 3 days).count() = 1",
    "big": "event('Order Completed').where(property('total') >= 10).within(2 days).count() >= 1",
    "gold": "trait('plan') = 'gold'",
    "not_gold": "NOT (trait('plan') = 'gold')",
    "free_mail": "trait('email').ends_with('@x.example') OR trait('plan').absent()",
    "high_score": "trait('score') >= 2 OR trait('tags').contains('a')",
    "of_madrid": "trait('city') = 'Madrid'",
    "spender": "trait('revenue') >= 15 AND trait('largest').exists()",
    "above_average": "event('Order Completed').where(property('total') > trait('average')).count() >= 1",
}
COMPUTED = {
    "revenue": "event('Order Completed').within(3 days).sum('total')",
    "average": "event('Order Completed').avg(property('total') as number)",
    "largest": "event('Order Completed').where(property('total') >= trait('average')).max('total')",
}
SURVIVORSHIP = {
    "plan": Survivorship(SurvivorshipRule.SOURCE_PRIORITY, ("crm", "web")),
    "score": Survivorship(SurvivorshipRule.MAXIMUM),
    "tags": Survivorship(SurvivorshipRule.UNION),
    "city": Survivorship(SurvivorshipRule.MOST_FREQUENT),
}
_TRAITS = {
    "email": [None, "a@x.example", "b@x.example", "c@y.example"],
    "plan": ["gold", "free", None],
    "score": [1, 2, 2.5, "3", None],
    "tags": ["a", ["a", "b"], ["c", {"d": 1}], None],
    "city": ["Madrid", "Vigo", "Vigo", None],
}


class Line(NamedTuple):
    """One event to be logged: when it is received, how long before it happened, and its body."""

    wait: int
    late: int
    source: str
    body: dict[str, Any]


_users = st.sampled_from([None, None, "u1", "u2", "u3"])
_devices = st.sampled_from(["d1", "d2", "d3", None])


@st.composite
def _bodies(draw: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if (user := draw(_users)) is not None:
        body["userId"] = user
    if (device := draw(_devices)) is not None:
        body["anonymousId"] = device
    if draw(st.integers(0, 5)) == 0:
        body["context"] = {"groupId": draw(st.sampled_from(["acme", " acme ", 7]))}
    kind = draw(st.sampled_from(["identify", "identify", "page", "order", "order", "group"]))
    if kind in ("identify", "group"):
        body["type"] = kind
        names = draw(st.sets(st.sampled_from(sorted(_TRAITS))))
        body["traits"] = {name: draw(st.sampled_from(_TRAITS[name])) for name in sorted(names)}
        if kind == "group":
            body["groupId"] = draw(st.sampled_from(["acme", "globex"]))
    elif kind == "page":
        body |= {"type": "page", "name": "Home"}
    else:
        total = draw(st.sampled_from([5, 10, 12.5, "10"]))
        body |= {"type": "track", "event": "Order Completed", "properties": {"total": total}}
    return body


@st.composite
def _statements(draw: Any) -> dict[str, Any]:
    """What somebody states of these people, or takes back."""
    op = draw(st.sampled_from(["same", "same", "never", "retract", "retract", "withdraw", "grant"]))
    said: dict[str, Any] = {"op": op, "by": "test", "reason": "to see"}
    if op == "retract":
        names = [*(f"m{number}" for number in range(1, 15)), "unknown"]
        said["events"] = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    else:
        known = ["user_id:u1", "user_id:u2", "user_id:u3", "anonymous_id:d1", "email: A@x.example"]
        said["identifiers"] = draw(st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True))
    if op in ("withdraw", "grant"):
        said["purposes"] = draw(st.sampled_from([[], [], ["ads"]]))
    return {"type": "statement", "statement": said}


LINES = st.lists(
    st.builds(
        Line,
        wait=st.sampled_from([0, 0, 1, HOUR, DAY, 2 * DAY, 5 * DAY]),
        late=st.sampled_from([0, 0, 0, -60_000_000, HOUR, DAY, 4 * DAY]),
        source=st.sampled_from(["web", "crm"]),
        body=_bodies(),
    ),
    min_size=1,
    max_size=14,
)


HISTORIES = st.lists(
    st.builds(
        Line,
        wait=st.sampled_from([0, 0, 1, HOUR, DAY, 2 * DAY, 5 * DAY]),
        late=st.sampled_from([0, 0, 0, -60_000_000, HOUR, DAY, 4 * DAY]),
        source=st.sampled_from(["web", "crm"]),
        body=st.one_of(_bodies(), _bodies(), _statements()),
    ),
    min_size=1,
    max_size=14,
)
"""Lines among which are statements."""


def logged(lines: list[Line]) -> list[Logged]:
    """The lines as rows of a log; a negative ``late`` is a clock that runs ahead."""
    rows, received = [], START
    names = {"page": "Page Viewed", "identify": "", "group": "", "statement": ""}
    for number, line in enumerate(lines, 1):
        received = Moment(received + line.wait)
        call = Call(line.body["type"])
        rows.append(
            Logged(
                position=Position(number * 2),
                received=received,
                time=Moment(received - line.late),
                call=call,
                name=names.get(call, line.body.get("event", "")),
                message_id=f"m{number}",
                source=line.source,
                body=json.dumps(line.body).encode(),
            )
        )
    return rows


def composed(
    records: Records,
    rules: dict[str, str] = RULES,
    survivorship: dict[str, Survivorship] = SURVIVORSHIP,
    computed: dict[str, str] = COMPUTED,
    past: Callable[[Position], LogPast] | None = None,
) -> Pipeline:
    """A pipeline over ``records`` with default identity rules."""
    identity = Identity("person", read_rules(default_rules()))
    traits = compile_traits(computed)
    expressions = traits.expressions
    live = LiveSegments(
        LiveSegment(key, parse(rule, expressions), key != "gold") for key, rule in rules.items()
    )
    profiles = Profiles(records, identity, survivorship, Access(["operations"]).require, traits.traits)
    activation = Activation({"buyers": ["crm"], "gap": ["crm"]})
    return Pipeline(records, identity, profiles, live, activation, past=past)


def events(pipeline: Pipeline, rows: list[Logged]) -> list[Event]:
    """The rows decoded."""
    return [read_event(row, pipeline.identity.ruleset.normalization) for row in rows]


STAGES = (
    *("identity", "identifier", "signature", "fragment", "timeline", "trait", "group"),
    *("membership", "timer", "progress"),
)


def tables(records: Records) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables of identity, profile and segment, and how far they have come."""
    with records.read() as reader:
        found = {t.name: reader.select(t.select()) for t in STATE.sorted_tables if t.name.startswith(STAGES)}
    found["progress"] = [row for row in found["progress"] if not row[0].startswith("activate.")]
    return {name: sorted(rows) for name, rows in found.items()}
