"""Why two identifiers are one person's or two people's, as people and programs are told."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cauce.app.as_of import graph_as_of
from cauce.app.compose import Composition
from cauce.app.profile_view import read_identifier
from cauce.app.why_events import Ends, EventOfLink, events_of
from cauce.identity.graph import Graph
from cauce.identity.session import SIGNATURES
from cauce.identity.why import Link, Obstacle, Why, explain
from cauce.identity.why_changes import Remedy, changes
from cauce.identity.why_words import Held, Said, Verdict, sentence
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment, to_iso

FEW_SIGNATURES = 100_000
"""Up to so many sets of identifiers all of them may be looked at; that takes a few milliseconds."""


class WhyView(NamedTuple):
    """An answer with what would change it, and the events of its links; ``at`` None: as of now."""

    view: str
    one: Identifier
    other: Identifier
    at: Moment | None
    why: Why
    changes: list[Remedy]
    events: Mapping[Ends, EventOfLink]


def view_why(
    composition: Composition,
    one: str,
    other: str,
    *,
    purpose: Purpose,
    viewer: Viewer,
    at: Moment | None = None,
    events: bool = True,
) -> WhyView:
    """Why two identifiers ``TYPE:VALUE`` are one person's or not, as of the events received until a moment.

    ``events``: also look the events up in the log. Raises ``InvalidInput`` if one is no
    identifier, ``NotAllowed`` if the viewer may not read for this purpose.
    """
    composition.access.require(viewer, "read", purpose)
    here, there = read_identifier(composition, one), read_identifier(composition, other)
    if at is None:
        with composition.state.read() as reader:
            graph = composition.identity.graph(reader)
            whole = reader.progress(SIGNATURES) <= FEW_SIGNATURES
            why, remedies = _explained(graph, here, there, whole)
    else:
        why, remedies = _explained(graph_as_of(composition, [here, there], at), here, there, whole=True)
    found = events_of(composition.log, composition.normalization, _links(why)) if events else {}
    return WhyView(composition.identity.view, here, there, at, why, remedies, found)


def _explained(graph: Graph, one: Identifier, other: Identifier, whole: bool) -> tuple[Why, list[Remedy]]:
    why, case = explain(graph, one, other, whole=whole)
    return why, changes(why, case, whole=whole)


def _links(why: Why) -> list[Link]:
    against = [one.against for one in why.obstacles if one.against is not None]
    return [*why.chain, *(one.link for one in why.obstacles), *against]


def as_json(view: WhyView) -> dict[str, Any]:
    """An answer as JSON: each sentence with its key and values, times in ISO 8601, UTC."""
    why = view.why
    return {
        "view": view.view,
        "one": str(view.one),
        "other": str(view.other),
        "as_of": None if view.at is None else to_iso(view.at),
        "verdict": why.verdict,
        "profile_ids": [one or None for one in why.profiles],
        "said": said_as_json(why.said),
        "chain": [_link(one, view.events) for one in why.chain],
        "obstacles": [_obstacle(one, view.events) for one in why.obstacles],
        "changes": [{**said_as_json(one.said), "works": one.works} for one in view.changes],
    }


def said_as_json(said: Said) -> dict[str, Any]:
    """A sentence for programs and translators, and in English."""
    values = {name: to_iso(value) if name in _TIMES else value for name, value in said.values.items()}
    return {"message": said.message, "values": values, "text": sentence(said)}


_TIMES = ("time", "first", "last")


def _obstacle(one: Obstacle, events: Mapping[Ends, EventOfLink]) -> dict[str, Any]:
    return {
        "reason": one.said.key,
        "said": said_as_json(one.said),
        "link": _link(one.link, events),
        "kept": None if one.against is None else _link(one.against, events),
        "kept_because": None if one.preferred is None else said_as_json(one.preferred),
    }


def _link(link: Link, events: Mapping[Ends, EventOfLink]) -> dict[str, Any]:
    return {
        "from": link.here,
        "to": link.there,
        "said": said_as_json(link.said),
        "sources": [
            {
                "source": seen.source,
                "events": seen.events,
                "first_time": to_iso(seen.first_time),
                "last_time": to_iso(seen.last_time),
                "first_event": _event(events.get((link.here, link.there, seen.source, seen.first_time))),
                "last_event": _event(events.get((link.here, link.there, seen.source, seen.last_time))),
            }
            for seen in link.seen
        ],
    }


def _event(event: EventOfLink | None) -> dict[str, Any] | None:
    if event is None:
        return None
    return {
        "position": event.position,
        "message_id": event.message_id,
        "call": event.call,
        "name": event.name,
        "received": to_iso(event.received),
    }


def as_lines(view: WhyView) -> list[str]:
    """An answer in sentences."""
    why = view.why
    lines = [sentence(why.said)]
    if view.one == view.other and why.verdict is Verdict.ONE:
        lines.append(f"  {_capital(sentence(Said(Held.EQUAL, {})))}.")
    for link in why.chain:
        lines += ["  " + line for line in _link_lines(link, view.events)]
    for one in why.obstacles:
        if one.link.seen:
            lines += ["  " + line for line in _link_lines(one.link, view.events)]
        lines.append(f"    Not one person: {sentence(one.said)}.")
        if one.against is not None and one.preferred is not None:
            kept, *more = _link_lines(one.against, view.events)
            lines += [f"    Kept instead: {kept}", *("    " + line for line in more)]
            lines.append(f"    {_capital(sentence(one.preferred))}.")
    if view.changes:
        lines.append("Would they be one person …")
        lines += [f"  … {sentence(one.said)}? {_ANSWERS[one.works]}." for one in view.changes]
    return lines


_ANSWERS = {True: "Yes", False: "No, not by that alone", None: "Perhaps; it was not tried"}


def _link_lines(link: Link, events: Mapping[Ends, EventOfLink]) -> list[str]:
    lines = [f"{sentence(link.said)}."]
    for seen in link.seen:
        ends = [
            events.get((link.here, link.there, seen.source, t)) for t in (seen.first_time, seen.last_time)
        ]
        named = list(dict.fromkeys(_named(one) for one in ends if one is not None))
        if named:
            lines.append(f"  {seen.source}: {'; '.join(named)}")
    return lines


def _named(event: EventOfLink) -> str:
    what = f"{event.call} {event.name}".strip()
    return f"{what} {event.message_id} at {to_iso(event.time)}, position {event.position}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
