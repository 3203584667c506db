"""Random appends, repeats, ticks, seals and restarts leave the log equal to a dictionary."""

import json
import random
import tempfile
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cauce.eventlog.bulk import log_relation
from cauce.eventlog.columns import carried, signature
from cauce.eventlog.compact import compact
from cauce.eventlog.plan import Plan
from cauce.eventlog.port import Outcome
from cauce.eventlog.seal import seal
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call, Position, Refused, identifiers_of
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import Moment

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
EVENTS = st.lists(
    st.builds(
        Accepted,
        message_id=st.sampled_from([f"id-{n}" for n in range(30)]) | TEXT,
        time=st.integers(-(2**62), 2**62),
        call=st.sampled_from(Call),
        name=st.sampled_from(["", "A", "B", "ñ"]),
        source=st.sampled_from(["web", "crm"]),
        body=st.sampled_from([b'{"properties":{"p":1}}', b'{"properties":{"q":[2]}}', b"[]", b"1e999"])
        | TEXT.map(lambda t: encode_json({"t": t})),
    ),
    max_size=12,
)
PATHS = [("properties", "p"), ("properties", "q"), ("traits", "t")]
plain = Plan(lambda _: DEFAULT_NORMALIZATION)
MOMENTS = st.integers(0, 1_000)


class LogMachine(RuleBasedStateMachine):
    """Two open logs on one space, and a model of what they must hold."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.space = Path(self.folder.name)
        self.logs = [SqliteLog(self.space), SqliteLog(self.space)]
        self.events: dict[str, Accepted] = {}
        self.received: list[int] = []
        self.refused: list[tuple[int, str, bytes]] = []
        self.conflicts: set[tuple[bytes, str]] = set()
        self.floor = 0

    @rule(which=st.integers(0, 1), events=EVENTS, refused=st.integers(0, 2), now=MOMENTS, split=st.booleans())
    def append(self, which: int, events: list[Accepted], refused: int, now: int, split: bool) -> None:
        bad = [Refused(reason="broken", detail="d", source="web", body=b"x")] * refused
        log = self.logs[which]
        pending = log.begin_append(events, bad, now=Moment(now)) if split else None
        if pending is None:  # a log that is far behind, or in a new process, must wait
            outcomes = log.append(events, bad, now=Moment(now))
        else:
            pending.commit()
            outcomes = pending.outcomes
        received = max(now, self.floor)
        expected, told = [], frozenset(self.conflicts)
        for event in events:
            before = self.events.setdefault(event.message_id, event)
            if before is event:
                expected.append(Outcome.ACCEPTED)
                self.received.append(received)
            elif before.body == event.body:
                expected.append(Outcome.DUPLICATE)
            else:
                expected.append(Outcome.CONFLICTING_REPEAT)
                if (event.body, event.source) not in told:  # a later append does not keep it again
                    self.refused.append((received, "conflicting_repeat", event.body))
                    self.conflicts.add((event.body, event.source))
        self.refused.extend((received, "broken", b"x") for _ in bad)
        if Outcome.ACCEPTED in expected:
            self.floor = received
        assert outcomes == expected

    @rule(which=st.integers(0, 1), now=MOMENTS)
    def tick(self, which: int, now: int) -> None:
        self.floor = max(now, self.floor)
        assert self.logs[which].tick(Moment(now)) == (self.floor, len(self.events))

    @rule(back=st.integers(0, 10), rows=st.integers(1, 9))
    def seal(self, back: int, rows: int) -> None:
        seal(
            self.space, Position(len(self.events) - back), lambda _: DEFAULT_NORMALIZATION, rows_per_file=rows
        )

    @rule(paths=st.frozensets(st.sampled_from(PATHS)))
    def compact(self, paths: frozenset[tuple[str, ...]]) -> None:
        compact(self.space, plain._replace(paths=paths))

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.logs[which].close()
        self.logs[which] = SqliteLog(self.space)

    @rule(which=st.integers(0, 1), upto=st.integers(0, 40))
    def relation(self, which: int, upto: int) -> None:
        how = plain.how
        with (
            duckdb.connect() as connection,
            self.logs[which].snapshot(Position(upto)) as log,
            log_relation(connection, log, how) as view,
        ):
            found = connection.execute(f"SELECT message_id, body FROM {view} ORDER BY position").fetchall()
        assert found == [(e.message_id, e.body.decode()) for e in list(self.events.values())[:upto]]

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        for log in getattr(self, "logs", []):
            rows, after = [], Position(0)
            while more := log.read(after, 5):
                rows.extend(more)
                after = more[-1].position
            assert [row.position for row in rows] == list(range(1, len(self.events) + 1))
            assert [row.received for row in rows] == self.received
            assert [
                Accepted(
                    message_id=r.message_id,
                    time=r.time,
                    call=r.call,
                    name=r.name,
                    source=r.source,
                    body=r.body,
                )
                for r in rows
            ] == list(self.events.values())
            kept = log.quarantined(limit=10_000)
            assert [(q.received, q.reason, q.body) for q in kept] == self.refused
            assert log.head() == len(self.events)

    def teardown(self) -> None:
        for log in getattr(self, "logs", []):
            log.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # a failure here shrinks too slowly
    suppress_health_check=list(HealthCheck),
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def some_of(*names: str) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))


EXTERNAL = st.lists(
    st.fixed_dictionaries({"id": VALUES, "type": VALUES, "collection": VALUES, "encoding": st.just("none")})
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "userId": VALUES,
        "anonymousId": VALUES,
        "traits": some_of("email", "phone", "age") | VALUES,
        "properties": VALUES,
        "context": st.fixed_dictionaries(
            {},
            optional={
                "traits": some_of("email", "phone") | VALUES,
                "externalIds": EXTERNAL | VALUES,
                "device": some_of("id", "token", "type", "advertisingId") | VALUES,
                "page": VALUES,
            },
        )
        | VALUES,
    },
)


@given(BODIES, st.sampled_from(Call))
def test_identifiers_are_the_same_whether_the_whole_body_is_decoded_or_only_their_parts(
    body: dict[str, object], call: Call
) -> None:
    text = json.dumps(body).encode()
    decoded = decode_json(text)
    assert isinstance(decoded, dict)
    expected = identifiers_of(decoded, call, DEFAULT_NORMALIZATION)
    assert carried(text, call, DEFAULT_NORMALIZATION) == expected


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_signature_is_of_the_set(identifiers: list[str], rng: random.Random) -> None:
    shuffled = list(identifiers)
    rng.shuffle(shuffled)
    assert signature(shuffled) == signature(identifiers) is not None
    assert -(2**63) <= signature(identifiers) < 2**63
    assert signature([*identifiers, "more"]) != signature(identifiers)
