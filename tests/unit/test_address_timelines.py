"""A state that was made before timelines recorded events about addresses learns them from the log."""

import json

import pytest

from cauce.app.follow_definitions import follow_definitions
from cauce.app.profile_view import view_profile
from cauce.profile.records import timeline, trait_version
from cauce.profile.survivorship import ADDRESSES
from cauce.segment.records import membership
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.definitions import SegmentDef
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

NOW = Moment(1_780_000_000_000_000)


def told(number: int, call: Call, name: str = "", **body: object) -> Accepted:
    content = {"type": call, "messageId": f"m{number}", "userId": "u1", "event": name, **body}
    return Accepted(
        message_id=f"m{number}",
        time=Moment(NOW + number * DAY),
        call=call,
        name=name,
        source="web",
        body=json.dumps(content).encode(),
    )


@pytest.mark.parametrize("with_former", [False, True])
def test_an_older_state_learns_them(tmp_path, with_former):
    composition = space(tmp_path)
    events = [
        told(1, Call.IDENTIFY, traits={"email": "old@firm.example"}),
        told(2, Call.TRACK, "Email Bounced", properties={"email": "old@firm.example"}),
        told(3, Call.TRACK, "Email Changed", properties={"old": "old@firm.example", "new": "n@firm.example"}),
    ]
    composition.log.append(events, [], now=Moment(NOW + 9 * DAY))
    moved = SegmentDef(key="moved", owner="o", rule="trait('email') = 'n@firm.example'")
    composition = folded(applied(composition, defined(segments=(moved,)), NOW), Moment(NOW + 9 * DAY))

    def shown() -> tuple[object, object, bool]:
        at = Moment(NOW + 9 * DAY)
        view = view_profile(composition, "user_id:u1", at=at, purpose=OPERATIONS, viewer=ANALYST)
        dead = view.addresses["email", "old@firm.example"].dead
        return view.profile.traits["email"].value, dead, "moved" in view.segments

    whole = shown()
    assert whole == ("n@firm.example", Moment(NOW + 2 * DAY), True)
    with composition.state.write() as transaction:
        transaction.clear(timeline)
        transaction.clear(membership)
        transaction.remove(trait_version, "trait", [ADDRESSES])
    assert shown() == ("old@firm.example", None, False)
    former = composition.pipeline if with_former else None
    follow_definitions(composition.pipeline, composition.log, composition.normalization, before=former)
    assert shown() == whole
    closed(composition)
