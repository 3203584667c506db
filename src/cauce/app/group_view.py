"""A group as people look it up: golden record and members."""

from typing import Any

from cauce.app.compose import Composition
from cauce.app.profile_view import golden_as_json, trait_reason_as_json
from cauce.profile.groups import Group
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.event import normal_group
from cauce.vocabulary.moment import to_iso


def view_group(
    composition: Composition,
    group_id: str,
    *,
    purpose: Purpose,
    viewer: Viewer,
    why: bool = False,
    limit: int = 100,
) -> Group:
    """The group of an id as somebody typed it; raises ``NotFound`` if no event names it."""
    normal = normal_group(group_id)
    found = composition.groups.read(normal, purpose=purpose, viewer=viewer, why=why, limit=limit)
    if found is None:
        raise NotFound(
            f"No event names the group {group_id}.",
            hint="Check the id; `cauce group list` shows them, and `cauce log stats` whether events wait.",
        )
    return found


def as_json(group: Group) -> dict[str, Any]:
    """A group as JSON: times in ISO 8601, UTC."""
    document: dict[str, Any] = {
        "group_id": group.group_id,
        "traits": {name: golden_as_json(value) for name, value in group.traits.items()},
        "members": [
            {
                "profile_id": one.profile_id,
                "identifiers": [identifier._asdict() for identifier in one.identifiers],
                "since": to_iso(one.since),
            }
            for one in group.members
        ],
        "more_members": group.more_members,
    }
    if group.why is not None:
        document["why"] = {name: trait_reason_as_json(reason) for name, reason in group.why.items()}
    return document
