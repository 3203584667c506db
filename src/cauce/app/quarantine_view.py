"""Refused input as people and programs read it; times in ISO 8601, UTC."""

import msgspec

from cauce.collect.quarantine import Replayed
from cauce.eventlog.port import Quarantined
from cauce.vocabulary.moment import iso_or_none, to_iso


class RefusedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Input that is no valid event; bytes of ``body`` that are no UTF-8 are written as ``\\xNN``.

    ``call`` is that of the path it came to, ``batch`` for a whole request,
    ``historical`` for an event of a historical batch, ``line`` for a line of a
    file, empty if the body names its own type. ``sent`` is what the clock of its
    sender showed, if a batch said so.
    """

    number: int
    received: str
    source: str
    reason: str
    detail: str
    call: str
    sent: str | None
    settled: str | None
    settlement: str | None
    body: str


class ExampleDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one input: the events made of it, or why it stays."""

    number: int
    events: list[str]
    problem: str


class ReplayDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``inputs`` were looked at and ``replayed`` of them settled; ``refused`` counts by reason what stays."""

    inputs: int
    replayed: int
    accepted: int
    duplicate: int
    refused: dict[str, int]
    examples: list[ExampleDocument]


def describe_refused(one: Quarantined) -> RefusedDocument:
    """One refused input."""
    return RefusedDocument(
        number=one.number,
        received=to_iso(one.received),
        source=one.source,
        reason=one.reason,
        detail=one.detail,
        call=one.call,
        sent=iso_or_none(one.sent),
        settled=iso_or_none(one.settled),
        settlement=one.settlement,
        body=_text(one.body),
    )


def describe_replay(done: Replayed) -> ReplayDocument:
    """What a replay came to."""
    examples = [
        ExampleDocument(number=one.number, events=[_text(body) for body in one.events], problem=one.problem)
        for one in done.examples
    ]
    return ReplayDocument(
        inputs=done.inputs,
        replayed=done.replayed,
        accepted=done.accepted,
        duplicate=done.duplicate,
        refused=done.refused,
        examples=examples,
    )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")
