"""Why, over a real space: chains with their events and reasons in sentences, now or as of a date."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cauce.app.compose import Composition
from cauce.app.identity_moves import moves_after
from cauce.app.identity_why import WhyView, as_json, as_lines, view_why
from cauce.app.profile_graph import view_external_ids, view_graph
from cauce.eventlog.seal import seal
from cauce.identity.rules import default_rules
from cauce.identity.why_graph import Standing
from cauce.identity.why_words import ENGLISH, Change, Held, Preferred, Reason, Said, Verdict, sentence
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.errors import InvalidInput, NotAllowed, NotFound
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import DAY, Moment, parse_iso
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

START = parse_iso("2024-05-01T10:00:00Z") or Moment(0)
SUPPORT = Purpose("support")


def event(number: int, call: str, source: str = "web", after: int = 0, **body: Any) -> Accepted:
    """One event a day; it happened ``after`` microseconds after the day began."""
    return Accepted(
        message_id=f"m{number}",
        time=Moment(START + number * DAY + after),
        call=Call(call),
        name=body.get("event", ""),
        source=source,
        body=json.dumps({"type": call, **body}).encode(),
    )


EVENTS = [
    event(1, "page", anonymousId="tablet"),
    event(2, "identify", userId="ann", anonymousId="tablet", traits={"email": "Ann@x.example"}),
    event(3, "identify", userId="ann", anonymousId="tablet", traits={"email": "ann@x.example"}),
    event(4, "identify", "crm", userId="bob", anonymousId="tablet"),
    event(5, "track", event="Order", userId="bob", context={"traits": {"phone": "+34600000000"}}),
    event(6, "track", event="Order", userId="zoe"),
    event(7, "track", event="Order", userId="yan", anonymousId="null"),
    event(8, "track", event="Order", userId="zoe", anonymousId="null"),
    event(9, "identify", userId="eve", traits={"email": "info@x.example", "phone": "0"}),
]


def made(folder: Path, events: list[Accepted], *, sealed: bool = False) -> Composition:
    composition = applied(space(folder), defined(default_rules()), START)
    for one in events:
        composition.log.append([one], [], now=one.time)
    composition = folded(composition, Moment(START + 100 * DAY))
    if sealed:
        seal(folder, composition.log.head(), composition.normalization, rows_per_file=4)
    return composition


@pytest.fixture(params=[False, True], ids=["rows", "sealed"])
def composition(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Composition]:
    found = made(tmp_path, EVENTS, sealed=request.param)
    yield found
    closed(found)


def why(composition: Composition, one: str, other: str, at: Moment | None = None) -> WhyView:
    return view_why(composition, one, other, purpose=SUPPORT, viewer=ANALYST, at=at)


def test_a_chain_has_its_events_sources_and_times(composition: Composition) -> None:
    found = as_json(why(composition, "email:ANN@x.example", "user_id:ann"))
    assert found["verdict"] == "one_person"
    [link] = found["chain"]
    assert (link["from"], link["to"]) == ("email:ann@x.example", "user_id:ann")
    [source] = link["sources"]
    assert (source["source"], source["events"]) == ("web", 2)
    assert source["first_event"]["message_id"] == "m2"
    assert source["last_event"] == {
        "position": 3,
        "message_id": "m3",
        "call": "identify",
        "name": "",
        "received": "2024-05-04T10:00:00.000Z",
    }


def test_the_way_leads_over_what_was_seen_together(composition: Composition) -> None:
    found = why(composition, "phone:+34600000000", "anonymous_id:tablet")
    steps = [(link.here, link.there) for link in found.why.chain]
    assert steps == [("phone:+34600000000", "user_id:bob"), ("user_id:bob", "anonymous_id:tablet")]
    assert "crm: identify m4" in "\n".join(as_lines(found))


def test_two_people_have_a_reason_the_link_that_was_kept_and_what_would_change_it(
    composition: Composition,
) -> None:
    found = why(composition, "user_id:ann", "anonymous_id:tablet")
    assert found.why.verdict is Verdict.TWO
    obstacle = found.why.obstacles[0]
    assert obstacle.said.key is Reason.LIMIT
    assert (obstacle.said.values["here"], obstacle.said.values["there"]) in (
        (["ann"], ["bob"]),
        (["bob"], ["ann"]),
    )
    assert obstacle.against is not None
    assert {obstacle.against.here, obstacle.against.there} == {"user_id:bob", "anonymous_id:tablet"}
    assert obstacle.preferred is not None
    assert obstacle.preferred.key is Preferred.NEWER
    works = {one.said.key: one.works for one in found.changes}
    assert works == {Change.RAISE_LIMIT: True, Change.RETRACT: True, Change.STATE_SAME: True}
    text = "\n".join(as_lines(found))
    assert "the profile would have 2 values of user_id, and the limit is 1" in text
    assert "… if the limit of user_id were 2? Yes." in text


def test_what_was_stated_is_a_reason_too_from_then_on(tmp_path: Path) -> None:
    def states(number: int, op: str, *identifiers: str) -> Accepted:
        said = {"op": op, "by": "ana", "reason": "she called", "identifiers": identifiers}
        return event(number, "statement", "by hand", statement=said)

    stated = [
        states(20, "same", "user_id:ann", "user_id:bob"),
        states(30, "never", "user_id:ann", "email:ann@x.example"),
    ]
    composition = made(tmp_path, [*EVENTS, *stated])
    one = why(composition, "user_id:ann", "anonymous_id:tablet")
    assert one.why.verdict is Verdict.ONE
    apart = why(composition, "user_id:ann", "user_id:bob", Moment(START + 19 * DAY))
    assert apart.why.verdict is Verdict.TWO
    chain = why(composition, "user_id:ann", "user_id:bob", Moment(START + 20 * DAY)).why.chain
    assert [(link.said.key, link.said.values["statement"]) for link in chain] == [(Held.STATED, "m20")]
    never = why(composition, "user_id:ann", "email:ann@x.example")
    assert never.why.verdict is Verdict.TWO
    said = next(one.said for one in never.why.obstacles if one.said.key is Reason.NEVER)
    assert said.values["statement"] == "m30"
    assert Change.TAKE_BACK_NEVER in {one.said.key for one in never.changes}
    assert "never share a profile (event m30)" in "\n".join(as_lines(never))
    before = why(composition, "user_id:ann", "email:ann@x.example", Moment(START + 29 * DAY))
    assert before.why.verdict is Verdict.ONE
    closed(composition)


@pytest.mark.parametrize(
    "said", [{"op": "retract", "events": ["m4"]}, {"op": "withdraw", "identifiers": ["user_id:bob"]}]
)
def test_what_was_taken_back_counts_until_then(tmp_path: Path, said: dict[str, Any]) -> None:
    taken_back = event(20, "statement", statement={"by": "ana", "reason": "wrong tablet", **said})
    composition = made(tmp_path, [*EVENTS, taken_back])
    for at, expected in ((19, Verdict.TWO), (20, Verdict.ONE)):
        then = why(composition, "user_id:ann", "anonymous_id:tablet", Moment(START + at * DAY))
        assert then.why.verdict is expected
    assert why(composition, "user_id:ann", "anonymous_id:tablet").why.verdict is Verdict.ONE
    closed(composition)


def test_before_the_other_came_it_was_one_person(composition: Composition) -> None:
    then = Moment(START + 3 * DAY)
    found = why(composition, "user_id:ann", "anonymous_id:tablet", then)
    assert found.why.verdict is Verdict.ONE
    assert as_json(found)["chain"][0]["sources"][0]["first_event"]["message_id"] == "m2"
    assert why(composition, "user_id:bob", "user_id:ann", then).why.verdict is Verdict.UNKNOWN
    assert why(composition, "user_id:ann", "user_id:bob", Moment(0)).why.verdict is Verdict.UNKNOWN


def test_a_blocked_value_joins_nobody_and_is_named(composition: Composition) -> None:
    found = why(composition, "user_id:yan", "user_id:zoe")
    assert found.why.obstacles[0].said == Said(
        Reason.BLOCKED_BETWEEN, {"identifier": "anonymous_id:null", "type": "anonymous_id"}
    )
    assert why(composition, "anonymous_id:null", "user_id:zoe").why.verdict is Verdict.NOBODY
    assert why(composition, "anonymous_id:NULL", "user_id:zoe").why.verdict is Verdict.NOBODY


def test_rubbish_is_answered_or_refused(composition: Composition) -> None:
    assert why(composition, "user_id:ann", "nothing:x").why.obstacles[0].said.key is Reason.UNLISTED
    assert why(composition, "user_id:ann", "user_id:nobody").why.verdict is Verdict.UNKNOWN
    assert why(composition, "user_id:ann", "user_id: ann").why.verdict is Verdict.ONE
    assert why(composition, "user_id:ann", "user_id:" + "x" * 10_000).why.verdict is Verdict.UNKNOWN
    assert why(composition, "user_id:ann", "user_id:'; DROP\x00").why.verdict is Verdict.UNKNOWN
    for wrong in ("", ":", "user_id", "user_id:"):
        with pytest.raises(InvalidInput):
            why(composition, "user_id:ann", wrong)
    with pytest.raises(NotAllowed):
        view_why(composition, "user_id:ann", "user_id:bob", purpose=Purpose("fun"), viewer=ANALYST)


def test_nothing_is_said_where_nothing_happened(tmp_path: Path) -> None:
    composition = made(tmp_path, [])
    assert why(composition, "user_id:ann", "user_id:bob").why.verdict is Verdict.UNKNOWN
    assert why(composition, "user_id:ann", "user_id:bob", START).why.verdict is Verdict.UNKNOWN
    with pytest.raises(NotFound):
        view_graph(composition, "user_id:ann", purpose=SUPPORT, viewer=ANALYST)
    closed(composition)


def test_a_graph_shows_members_others_and_nobody(composition: Composition) -> None:
    found = view_graph(composition, "user_id:ann", purpose=SUPPORT, viewer=ANALYST)
    standing = {str(one.identifier): one.standing for one in found.identifiers}
    assert standing == {
        "user_id:ann": Standing.ANCHOR,
        "email:ann@x.example": Standing.MEMBER,
        "anonymous_id:tablet": Standing.OTHER,
    }
    held = {(link.stronger, link.weaker): (link.held, link.joining) for link in found.links}
    assert held["user_id:ann", "email:ann@x.example"] == (True, True)
    assert held["user_id:ann", "anonymous_id:tablet"] == (False, False)
    zoe = view_graph(composition, "user_id:zoe", purpose=SUPPORT, viewer=ANALYST)
    assert [one.standing for one in zoe.identifiers] == [Standing.ANCHOR, Standing.NOBODY]


def test_as_of_now_the_graph_is_the_present_one(composition: Composition) -> None:
    end = Moment(START + 100 * DAY)
    for key in ("user_id:ann", "user_id:bob", "user_id:zoe", "email:info@x.example"):
        then = view_graph(composition, key, purpose=SUPPORT, viewer=ANALYST, at=end)
        assert then == view_graph(composition, key, purpose=SUPPORT, viewer=ANALYST)


def test_external_ids_say_where_they_come_from(composition: Composition) -> None:
    def page(**asked: Any) -> list[tuple[str, str, str | None]]:
        options = {"types": frozenset[str](), "after": 0, "limit": 25, **asked}
        found = view_external_ids(composition, "user_id:bob", purpose=SUPPORT, viewer=ANALYST, **options)
        return [(str(one.identifier), one.source, event and event.message_id) for one, event in found.page]

    everything = page()
    assert everything == [
        ("user_id:bob", "crm", "m4"),
        ("phone:+34600000000", "web", "m5"),
        ("anonymous_id:tablet", "web", "m1"),
    ]
    assert page(types=frozenset({"phone"})) == everything[1:2]
    assert page(after=1, limit=1) == everything[1:2]
    assert page(after=9) == []


def test_the_public_feed_replayed_gives_the_people_in_force(composition: Composition) -> None:
    found: dict[str, str] = {}
    with composition.state.read() as reader:
        after = 0
        while moves := moves_after(reader, after, 2):
            for move in moves:
                assert move.identifier is not None
                assert found.get(str(move.identifier)) == move.former
                assert move.present is not None
                found[str(move.identifier)] = move.present
            after = moves[-1].sequence
    assert found == people(composition)


def people(composition: Composition) -> dict[str, str]:
    """Identifier → profile id, as they are in force."""
    with composition.state.read() as reader:
        keys = [whole.profile for whole in composition.identity.everybody(reader)]
        described = composition.identity.describe(reader, keys).values()
    return {str(one): person.profile_id for person in described for one in person.identifiers}


def test_every_key_has_a_sentence() -> None:
    keys = {Said(key, {}).message for kind in (Verdict, Held, Reason, Preferred, Change) for key in kind}
    assert keys == set(ENGLISH)
    spanish = {"reason.unknown": "Nunca se ha visto {identifier}"}
    assert (
        sentence(Said(Reason.UNKNOWN, {"identifier": "user_id:a"}), spanish) == "Nunca se ha visto user_id:a"
    )
