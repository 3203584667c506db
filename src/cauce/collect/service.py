"""The door: what to answer a request, which of its events to store, and what to quarantine."""

from typing import NamedTuple

from cauce.collect.body import json_text
from cauce.collect.hazards import may_be_hazardous
from cauce.collect.judge import Arrival, IdFactory, Judge
from cauce.collect.key import basic_key, key_in_broken, key_of_event, without_key
from cauce.collect.needs import WriteKeys
from cauce.collect.reasons import Problem, Reason
from cauce.collect.settings import CollectSettings
from cauce.collect.split import MALFORMED, NO_BATCH, Batch, split, split_leniently, with_shared
from cauce.vocabulary.event import Accepted, Call, Refused
from cauce.vocabulary.moment import Moment

OK = 200
BAD_REQUEST = 400
UNAUTHORIZED = 401


class Request(NamedTuple):
    """What the door looks at of an HTTP request. ``call`` is None for a batch."""

    call: Call | None
    authorization: bytes
    content_type: bytes
    body: bytes
    received: Moment


class Fault(NamedTuple):
    """One event that was refused: its place in the request, from 0 (None: the whole of it), and why."""

    item: int | None
    problem: Problem


class Decision(NamedTuple):
    """What the door decided; ``status`` is the answer once events and refused ones are durable."""

    status: int
    events: list[Accepted]
    refused: list[Refused]
    faults: list[Fault]


UNKNOWN_KEY = Decision(UNAUTHORIZED, [], [], [])
"""Nothing is kept of a request that nobody known has sent."""


class Door:
    """Decides about requests of the tracking API; pure but for the message ids it makes."""

    def __init__(self, keys: WriteKeys, limits: CollectSettings, new_id: IdFactory) -> None:
        self._keys = keys
        self._limits = limits
        self._judge = Judge(limits, new_id)
        longest = limits.max_event_bytes
        self._too_large = Problem(Reason.EVENT_TOO_LARGE, f"The event is longer than {longest} bytes.")

    def decide(self, request: Request) -> Decision:
        """What becomes of a request (response codes: ``field.md`` 2.1)."""
        opened = self._open(request)
        if isinstance(opened, Decision):
            return opened
        source, text = opened
        if request.call is not None:
            return self._one(source or self._source(key_of_event(text)), text, request.call, request.received)
        return self._batch(source, text, split(text), request.received)

    def validate(self, request: Request) -> Decision:
        """What would become of a batch, or of one event that names its type; nothing is to be stored."""
        opened = self._open(request)
        if isinstance(opened, Decision):
            return opened
        source, text = opened
        batch = split(text)
        if batch is NO_BATCH:
            return self._one(source or self._source(key_of_event(text)), text, None, request.received)
        return self._batch(source, text, batch, request.received)

    def _open(self, request: Request) -> tuple[str | None, bytes] | Decision:
        """The source that the header names, and the JSON text; or the decision if either is wrong."""
        source = None
        if (key := basic_key(request.authorization)) is not None:
            source = self._source(key)
            if source is None:
                return UNKNOWN_KEY
        text = json_text(request.body, request.content_type, self._limits.max_batch_bytes)
        if isinstance(text, Problem):
            return self._refuse_whole(source, request.body, text, request.call)
        return source, text

    def _batch(
        self, source: str | None, text: bytes, batch: Batch | Problem | None, received: Moment
    ) -> Decision:
        if batch is None:
            source = source or self._source(key_in_broken(text))
            batch = split_leniently(text) if source else MALFORMED
        if isinstance(batch, Problem):
            return self._refuse_whole(source, text, batch)
        return self._many(source or self._source(batch.write_key), text, batch, received)

    def refuse_unread(self, authorization: bytes, beginning: bytes) -> Decision:
        """What becomes of a request that is too long to be read; ``beginning`` is what was read of it."""
        key = basic_key(authorization)
        source = None if key is None else self._source(key)
        if key is not None and source is None:
            return UNKNOWN_KEY
        limit = self._limits.max_batch_bytes
        problem = Problem(Reason.BODY_TOO_LARGE, f"The body is longer than {limit} bytes.")
        return self._refuse_whole(source, beginning, problem)

    def _one(self, source: str | None, text: bytes, call: Call | None, received: Moment) -> Decision:
        if source is None:
            return UNKNOWN_KEY
        if len(text) > self._limits.max_event_bytes:
            event: Accepted | Problem = self._too_large
        else:
            event = self._judge.judge(text, call, Arrival(source, received, None))
        if isinstance(event, Accepted):
            return Decision(OK, [event], [], [])
        status = BAD_REQUEST if event.reason in _BAD_REQUESTS else OK
        return Decision(status, [], [self._refused(event, source, text, call or "")], [Fault(0, event)])

    def _many(self, source: str | None, text: bytes, batch: Batch, received: Moment) -> Decision:
        if source is None:
            return UNKNOWN_KEY
        most = self._limits.max_batch_events
        if len(batch.items) > most:
            problem = Problem(Reason.BATCH_TOO_LONG, f"The batch holds more than {most} events.")
            refused_whole = self._refused(problem, source, text, Refused.BATCH)
            return Decision(OK, [], [refused_whole], [Fault(None, problem)])
        arrival = Arrival(source, received, batch.sent, batch.historical)
        events: list[Accepted] = []
        refused: list[Refused] = []
        faults: list[Fault] = []
        judge, longest = self._judge, self._limits.max_event_bytes
        hazardous = bool(batch.shared) or self._may_be_hazardous(text, batch.items)
        for index, item in enumerate(batch.items):
            whole = item
            if len(item) > longest:
                event: Accepted | Problem = self._too_large
            elif hazardous:
                whole = with_shared(item, batch.shared) if batch.shared else item
                event = judge.judge(whole, None, arrival)
            else:
                event = judge.judge_harmless(item, None, arrival)
            if type(event) is Accepted:
                events.append(event)
            elif type(event) is Problem:
                came = Refused.HISTORICAL if batch.historical else ""
                refused.append(self._refused(event, source, whole, came, batch.sent))
                faults.append(Fault(index, event))
        return Decision(OK, events, refused, faults)

    def _may_be_hazardous(self, text: bytes, items: list[bytes]) -> bool:
        return may_be_hazardous(text, max(map(len, items), default=0), self._limits.max_nesting)

    def _refuse_whole(
        self, source: str | None, body: bytes, problem: Problem, call: Call | None = None
    ) -> Decision:
        """What becomes of a body that cannot be read; a key is looked for as far as it can be."""
        source = source or self._source(key_in_broken(body))
        refused = [self._refused(problem, source, body, call or Refused.BATCH)] if source else []
        return Decision(BAD_REQUEST, [], refused, [Fault(None, problem)])

    def _source(self, key: str) -> str | None:
        return self._keys.verify(key) if key else None

    def _refused(
        self, problem: Problem, source: str, body: bytes, call: str = "", sent: Moment | None = None
    ) -> Refused:
        """For quarantine: whole, unless it is longer than any batch may be; without the write key."""
        if len(body) > self._limits.max_batch_bytes:
            body = body[: self._limits.sample_bytes]
        body = without_key(body)
        return Refused(
            reason=problem.reason.value,
            detail=problem.detail,
            source=source,
            body=body,
            call=str(call),
            sent=sent,
        )


_BAD_REQUESTS = frozenset(
    {
        Reason.EVENT_TOO_LARGE,
        Reason.MALFORMED_JSON,
        Reason.INVALID_UTF8,
        Reason.LONE_SURROGATE,
        Reason.NUL_CHARACTER,
        Reason.NESTED_TOO_DEEP,
        Reason.NUMBER_NOT_FINITE,
        Reason.NOT_AN_OBJECT,
    }
)
"""What a single call is answered 400 for: the body is no JSON that could be an event, or too much of it."""
