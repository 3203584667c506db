"""The outbox under any order of changes, claims, outcomes, crashes and replays."""

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from cauce.activate.answers import Answer
from cauce.activate.delivery import REPLAYABLE, SETTLED, Outcome, State
from cauce.activate.outbox import Attempt, Outbox
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.moment import SECOND, Moment
from tests.faults.webhook_space import Space, change

LIMITS = ActivateSettings(max_attempts=3, backoff_seconds=4.0)
NAMES = ["crm", "ads"]
OUTCOMES = st.sampled_from([Outcome.DELIVERED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.REFUSED])


class Lanes(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = TemporaryDirectory()
        self.space = Space(Path(self.folder.name), NAMES)
        self.now = Moment(1_800_000_000 * SECOND)
        self.space.deliveries._clock = lambda: self.now
        self.number = 0
        self.under_way = {}
        self.bodies = {}
        self.last_sent = defaultdict(int)
        self.restart()

    def restart(self):
        self.outbox = Outbox(self.space.records, lambda: self.now, lambda: 0.5, LIMITS)

    @rule(people=st.lists(st.sampled_from("abc"), max_size=4), entered=st.booleans())
    def membership_changes(self, people, entered):
        changes = []
        for person in people:
            self.number += 1
            changes.append(change(self.number, person=person, entered=entered))
        self.space.queue(*changes)

    @rule(gone=st.sampled_from("ab"), entered=st.booleans())
    def a_profile_replaces_another(self, gone, entered):
        self.number += 2
        old = change(self.number - 1, person=gone, entered=False)
        new = change(self.number, person="c", entered=entered)
        old, new = replace(old, identifiers=()), replace(new, message_id=old.message_id)
        self.space.queue(old, new)

    @rule(most=st.integers(0, 3))
    def claim(self, most):
        for one in self.outbox.turn([], dict.fromkeys(NAMES, most)):
            lane = (one.destination, one.profile_id)
            assert lane not in {(o.destination, o.profile_id) for o in self.under_way.values()}
            assert self.bodies.setdefault(one.id, one.body) == one.body and one.body
            self.under_way[one.id] = one

    @precondition(lambda self: self.under_way)
    @rule(outcome=OUTCOMES, header=st.sampled_from(["", "2", "x"]), data=st.data())
    def end_one(self, outcome, header, data):
        id_ = data.draw(st.sampled_from(sorted(self.under_way)))
        one = self.under_way.pop(id_)
        self.outbox.turn([Attempt(one, Answer(outcome, 200, "", header), self.now)], {})

    @rule(outcomes=st.lists(OUTCOMES, min_size=1, max_size=6))
    def send(self, outcomes):
        claimed = self.outbox.turn([], dict.fromkeys(NAMES, 3))
        ended = zip(claimed, outcomes, strict=False)
        self.outbox.turn([Attempt(one, Answer(outcome, 200), self.now) for one, outcome in ended], {})
        self.under_way.update({one.id: one for one in claimed[len(outcomes) :]})

    @rule()
    def crash(self):
        self.restart()
        assert self.outbox.recover() == len(self.under_way)
        self.under_way.clear()

    @rule(seconds=st.integers(1, 20))
    def pass_time(self, seconds):
        self.now = Moment(self.now + seconds * SECOND)

    @rule(superseded=st.booleans(), name=st.sampled_from([None, "crm"]))
    def replay(self, superseded, name):
        before = {one.id for one in self.space.all() if one.state in REPLAYABLE}
        replayed = self.space.deliveries.replay(
            purpose="operations", viewer=None, superseded=superseded, destination=name
        )
        after = {one.id for one in self.space.all() if one.state in REPLAYABLE}
        assert replayed.queued == len(before - after) and after <= before

    @invariant()
    def one_delivery_of_a_lane_leads_and_the_rest_wait(self):
        lanes = defaultdict(list)
        for one in self.space.all():
            if one.state not in SETTLED:
                lanes[one.destination, one.profile_id].append(one)
        unsettled = {one.id for lane in lanes.values() for one in lane}
        for lane in lanes.values():
            leading = [one for one in lane if one.due is not None or one.state is State.SENDING]
            assert len(leading) <= 1
            assert leading or lane[0].after in unsettled
            assert all(one.state is State.QUEUED for one in lane if one not in leading)
            for one in leading:
                assert one.attempts or one.after not in unsettled

    @invariant()
    def every_attempt_has_a_receipt_unless_it_is_under_way(self):
        attempts = {one.id: one.attempts for one in self.space.all()}
        counted = defaultdict(int)
        for receipt in self.space.receipts():
            counted[receipt.delivery] += 1
            assert receipt.attempt == counted[receipt.delivery]
        for id_, number in attempts.items():
            assert counted[id_] + (id_ in self.under_way) == number

    def teardown(self):
        """With a destination that answers again, everything is delivered, each person's changes in order."""
        for one in list(self.under_way.values()):
            self.outbox.turn([Attempt(one, Answer(Outcome.DELIVERED, 200), self.now)], {})
        order = defaultdict(list)
        for _ in range(1000):
            self.now = Moment(self.now + 100 * SECOND)
            claimed = self.outbox.turn([], dict.fromkeys(NAMES, 10))
            if not claimed:
                break
            for one in claimed:
                order[one.destination, one.profile_id].append((one.attempts > 1, one.sequence))
            self.outbox.turn([Attempt(one, Answer(Outcome.DELIVERED, 200), self.now) for one in claimed], {})
        assert self.space.settled()
        for lane in order.values():
            fresh = [sequence for _, sequence in lane[1:]]
            assert fresh == sorted(fresh)
        counts = self.space.deliveries.attempts()
        assert sum(counts.values()) == len(self.space.receipts())
        self.space.records.close()
        self.folder.cleanup()


TestLanes = Lanes.TestCase
TestLanes.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
