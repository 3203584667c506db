"""A few people whose events collide: logs for comparing ways of folding them."""

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from cauce.activate.service import Activation
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
from cauce.vocabulary.language import parse
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
}
SURVIVORSHIP = {"plan": Survivorship(SurvivorshipRule.SOURCE_PRIORITY, ("crm", "web"))}


class Line(NamedTuple):
    """One event to be logged: when it is received, how long before it happened, and its body."""

    wait: int
    late: int
    source: str
    body: dict[str, Any]


_users = st.sampled_from([None, None, "u1", "u2", "u3"])
_devices = st.sampled_from(["d1", "d2", "d3", None])
_emails = st.sampled_from([None, "a@x.example", "b@x.example", "c@y.example"])


@st.composite
def _bodies(draw: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if (user := draw(_users)) is not None:
        body["userId"] = user
    if (device := draw(_devices)) is not None:
        body["anonymousId"] = device
    kind = draw(st.sampled_from(["identify", "page", "order", "order"]))
    if kind == "identify":
        body["type"] = "identify"
        traits = {"email": draw(_emails), "plan": draw(st.sampled_from(["gold", "free", None]))}
        body["traits"] = {name: value for name, value in traits.items() if draw(st.booleans())}
    elif kind == "page":
        body |= {"type": "page", "name": "Home"}
    else:
        total = draw(st.sampled_from([5, 10, 12.5, "10"]))
        body |= {"type": "track", "event": "Order Completed", "properties": {"total": total}}
    return body


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


def logged(lines: list[Line]) -> list[Logged]:
    """The lines as rows of a log; a negative ``late`` is a clock that runs ahead."""
    rows, received = [], START
    names = {"page": "Page Viewed", "identify": ""}
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


def composed(records: Records, rules: dict[str, str] = RULES) -> Pipeline:
    """A pipeline over ``records`` with default identity rules."""
    identity = Identity("person", read_rules(default_rules()))
    live = LiveSegments(LiveSegment(key, parse(rule), key != "gold") for key, rule in rules.items())
    profiles = Profiles(records, identity, SURVIVORSHIP, Access(["operations"]).require)
    return Pipeline(records, identity, profiles, live, Activation({"buyers": ["crm"], "gap": ["crm"]}))


def events(pipeline: Pipeline, rows: list[Logged]) -> list[Event]:
    """The rows decoded."""
    return [read_event(row, pipeline.identity.ruleset.normalization) for row in rows]


STAGES = ("identity", "identifier", "signature", "fragment", "timeline", "membership", "timer", "progress")


def tables(records: Records) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables of identity, profile and segment, and how far they have come."""
    with records.read() as reader:
        found = {t.name: reader.select(t.select()) for t in STATE.sorted_tables if t.name.startswith(STAGES)}
    found["progress"] = [row for row in found["progress"] if not row[0].startswith("activate.")]
    return {name: sorted(rows) for name, rows in found.items()}
