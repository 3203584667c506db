"""What becomes of the events of one append: new, a duplicate, or a conflicting repeat.

Pure but for the index of message ids, which is asked once. An engine calls this
with its lock held and everything taken in, and writes the rows that come back.
"""

from collections.abc import Sequence

from cauce.eventlog.content import content_prints, id_prints
from cauce.eventlog.dedup import Seen
from cauce.eventlog.port import Outcome
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Accepted, Call, Refused
from cauce.vocabulary.moment import Moment

CONFLICTING = Refused(
    reason=Outcome.CONFLICTING_REPEAT.value,
    detail="The log holds an event with this message id and other content.",
    source="",
    body=b"",
)
"""What quarantine says of an event whose id was used before for something else."""

EventRow = tuple[int, int, int, str, str, str, str, bytes, bytes]
"""position, received, time, call, name, message_id, source, content, body."""

RefusedRow = tuple[int, str, str, str, bytes, str, int | None, bytes]
"""received, source, reason, detail, body, call, sent, content."""

_ACCEPTED = Outcome.ACCEPTED
_CALLS = {call: call.value for call in Call}  # plain strings: SQLite would adapt a StrEnum at every row


class Decision:
    """What is to become of the events of one append.

    ``new`` holds the fingerprints of the new events' ids and contents;
    ``refused`` the rows of conflicting repeats.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.rows: list[EventRow] = []
        self.new: dict[int, bytes] = {}
        self.refused: list[RefusedRow] = []


def decide(events: Sequence[Accepted], seen: Seen, *, seed: int, head: int, received: Moment) -> Decision:
    """Each event's outcome, and the rows of those that are new, from position ``head`` + 1 on."""
    result = Decision()
    prints = id_prints(events, seed)
    known = seen.find(prints)
    new, rows, outcomes = result.new, result.rows, result.outcomes
    for event, print_, content in zip(events, prints, content_prints(events, seed), strict=True):
        before = known.get(print_) or new.get(print_)
        if before is None:
            head += 1
            new[print_] = content
            outcomes.append(_ACCEPTED)
            rows.append(
                (
                    head,
                    received,
                    event.time,
                    _CALLS[event.call],
                    event.name,
                    event.message_id,
                    event.source,
                    content,
                    event.body,
                )
            )
        elif before == content:
            outcomes.append(Outcome.DUPLICATE)
        else:
            outcomes.append(Outcome.CONFLICTING_REPEAT)
            call = Refused.HISTORICAL if event.historical else _CALLS[event.call]
            came = received if event.came is None else event.came
            row = conflict_row(event.source, event.body, call, came, content, event.sent)
            result.refused.append(row)
    return result


def refused_rows(refused: Sequence[Refused], received: Moment) -> list[RefusedRow]:
    """The rows of input that the door refused at the moment ``received``, unless they came before."""
    return [
        (received if r.came is None else r.came, r.source, r.reason, r.detail, r.body, r.call, r.sent, b"")
        for r in refused
    ]


def not_open() -> Conflict:
    """The error for input that cannot be settled, because it is not there or settled already."""
    return Conflict(
        "Some of these inputs are not in quarantine any more.",
        hint="List what is open, and settle that.",
        code="not_open",
    )


def conflict_row(
    source: str, body: bytes, call: str, received: Moment, content: bytes, sent: Moment | None = None
) -> RefusedRow:
    """The row of a conflicting repeat."""
    return (received, source, CONFLICTING.reason, CONFLICTING.detail, body, call, sent, content)
