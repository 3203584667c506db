"""What is no longer kept is counted and said: in explanations, profiles and segments."""

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from cauce.app.cli.output import COMMAND_LINE
from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.new_space import make_space
from cauce.app.profile_view import as_json, view_profile
from cauce.app.worker import Worker
from cauce.profile import kept, session
from cauce.profile.records import timeline_folded
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import DAY, Moment, parse_iso

NOW = parse_iso("2026-03-01T12:00:00Z")
READ = {"purpose": Purpose(OPERATIONS), "viewer": COMMAND_LINE}
AGES = [4, 1, 3, 2, 5]
"""Days; with three entries kept, those of 4 and 5 days are folded away."""


def told(number: int, call: Call, age: int, **body: object) -> Accepted:
    content = {"type": call, "userId": "u1", "messageId": f"m{number}", **body}
    return Accepted(
        message_id=f"m{number}",
        time=Moment(NOW - age * DAY),
        call=call,
        name=str(body.get("event", "")),
        source="web",
        body=json.dumps(content).encode(),
    )


@pytest.fixture(params=[1, -1])
def composition(tmp_path: Path, request: pytest.FixtureRequest):
    make_space(tmp_path / "space", now=NOW)
    definitions = tmp_path / "space/definitions"
    (definitions / "traits/mine.yaml").write_text(
        "- {name: orders, owner: o, compute: event('Order').count()}\n"
        "- {name: recent, owner: o, compute: event('Order').within(4 days).count()}\n"
        "- {name: city, owner: o, survivorship: most_frequent}\n"
    )
    (definitions / "segments/mine.yaml").write_text(
        "- {key: many, owner: o, rule: trait('orders') >= 5 OR trait('city') = 'Vigo'}\n"
        "- {key: recent, owner: o, rule: trait('recent') >= 3}\n"
    )
    events = [told(n, Call.TRACK, age, event="Order") for n, age in enumerate(AGES)]
    events += [told(10 + n, Call.IDENTIFY, age, traits={"city": "Madrid"}) for n, age in enumerate(AGES)]
    caps = (
        patch.object(session, "TIMELINE_ENTRIES", 3),
        patch.object(kept, "MOST_ASSERTIONS", 3),
    )
    composition = Composition(tmp_path / "space")
    with caps[0], caps[1]:
        follow_definitions(composition.pipeline, composition.log, composition.normalization)
        composition.log.append(events[:: request.param], [], now=NOW)
        worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: NOW)
        while worker.step():
            pass
        yield composition
    for store in (composition.log, composition.state, composition.control):
        store.close()


def test_what_a_timeline_drops_is_counted_by_event_name(composition: Composition) -> None:
    with composition.state.read() as reader:
        rows = reader.select(select(timeline_folded))
    assert [row[1:] for row in rows] == [("Order", 2, NOW - 4 * DAY)]


def test_an_explanation_marks_what_older_events_might_change(composition: Composition) -> None:
    ann = Identifier("user_id", "u1")
    many = composition.segments.why("many", ann, at=NOW, **READ)
    assert many is not None and many.reason.approximate and not many.reason.holds
    orders, city = many.reason.reasons
    assert orders.evidence.endswith("; approximate, as 2 older ones were folded away")
    assert orders.approximate and city.approximate
    assert "approximate, as older assertions were folded away" in city.evidence
    recent = composition.segments.why("recent", ann, at=NOW, **READ)
    assert recent is not None and recent.reason.holds and not recent.reason.approximate


def test_a_profile_marks_its_values(composition: Composition) -> None:
    shown = as_json(view_profile(composition, "user_id:u1", at=NOW, why=True, **READ))["traits"]
    assert (shown["orders"]["value"], shown["orders"]["approximate"]) == (3, True)
    assert (shown["recent"]["value"], "approximate" in shown["recent"]) == (3, False)
    assert (shown["city"]["value"], shown["city"]["approximate"]) == ("Madrid", True)
