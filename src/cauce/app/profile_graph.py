"""A person's graph and her identifiers' origins, as people and programs are told."""

from typing import Any, NamedTuple

from cauce.app.as_of import graph_as_of
from cauce.app.compose import Composition
from cauce.app.identity_why import said_as_json
from cauce.app.profile_view import nobody, read_identifier
from cauce.app.why_events import EventOfLink, find_events
from cauce.identity.first_seen import Sighting, first_sightings
from cauce.identity.why_graph import Drawn, DrawnLink, Picture, picture_of
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.moment import Moment, to_iso


def view_graph(
    composition: Composition, text: str, *, purpose: Purpose, viewer: Viewer, at: Moment | None = None
) -> Picture:
    """The graph of whoever has the identifier ``TYPE:VALUE``, as of the events received until a moment.

    Raises ``NotFound`` if nobody has it, ``NotAllowed`` if the viewer may not read for this purpose.
    """
    composition.access.require(viewer, "read", purpose)
    identifier = read_identifier(composition, text)
    if at is None:
        with composition.state.read() as reader:
            found = picture_of(composition.identity.graph(reader), identifier)
    else:
        found = picture_of(graph_as_of(composition, [identifier], at), identifier)
    if found is None:
        raise nobody(identifier)
    return found


def graph_as_json(picture: Picture) -> dict[str, Any]:
    """A graph as JSON."""
    return {
        "profile_id": picture.profile_id,
        "identifiers": [_drawn(one) for one in picture.identifiers],
        "links": [_drawn_link(one) for one in picture.links],
        "links_left_out": picture.left_out,
    }


def _drawn(one: Drawn) -> dict[str, Any]:
    return {
        "type": one.identifier.type,
        "value": one.identifier.value,
        "standing": one.standing,
        "profile_id": one.profile_id or None,
        "first_time": None if one.first_time is None else to_iso(one.first_time),
    }


def _drawn_link(one: DrawnLink) -> dict[str, Any]:
    return {
        "stronger": one.stronger,
        "weaker": one.weaker,
        "held": one.held,
        "joining": one.joining,
        "reason": None if one.said is None else {"reason": one.said.key, **said_as_json(one.said)},
        "sources": [
            {
                "source": seen.source,
                "events": seen.events,
                "first_time": to_iso(seen.first_time),
                "last_time": to_iso(seen.last_time),
            }
            for seen in one.seen
        ],
    }


class ExternalIds(NamedTuple):
    """A page of a person's identifiers, and the events that they were first seen in; ``more``: it goes on."""

    page: list[tuple[Sighting, EventOfLink | None]]
    more: bool


def view_external_ids(
    composition: Composition,
    text: str,
    *,
    types: frozenset[str],
    after: int,
    limit: int,
    purpose: Purpose,
    viewer: Viewer,
) -> ExternalIds:
    """The identifiers of whoever has one, strongest first, after so many; ``types`` narrows them if given.

    Raises ``NotFound`` if nobody has it, ``NotAllowed`` if the viewer may not read for this purpose.
    """
    composition.access.require(viewer, "read", purpose)
    identifier = read_identifier(composition, text)
    with composition.state.read() as reader:
        found = first_sightings(composition.identity.graph(reader), identifier)
    if found is None:
        raise nobody(identifier)
    wanted = [one for one in found if not types or one.identifier.type in types]
    page = wanted[after : after + limit]
    ends = {one: (str(one.identifier), str(one.identifier), one.source, one.time) for one in page}
    events = find_events(composition.log, composition.normalization, list(ends.values()))
    return ExternalIds([(one, events.get(ends[one])) for one in page], len(wanted) > after + limit)


def external_id_as_json(one: Sighting, event: EventOfLink | None) -> dict[str, Any]:
    """An identifier in the shape of Segment's Profile API."""
    return {
        "source_id": one.source,
        "collection": "users",
        "id": one.identifier.value,
        "type": one.identifier.type,
        "created_at": to_iso(one.time),
        "encoding": "none",
        "first_message_id": None if event is None else event.message_id,
    }
