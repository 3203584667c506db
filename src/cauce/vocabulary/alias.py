"""Alias calls: what a source means by telling that a person had another id before.

Segment's documented identity resolution merges nothing on an alias call (``field.md``
2.12). The SDKs of PostHog and Mixpanel mean one person by it; they send an alias call
or an event named ``$create_alias``.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

CREATE_ALIAS = "$create_alias"
"""The event by which PostHog and Mixpanel tell an alias."""


class Alias(StrEnum):
    """What an alias call of a source says about identity."""

    IGNORE = "ignore"
    LINK = "link"
    ANONYMOUS = "anonymous"


def named_before(body: Mapping[str, Any], call: str, alias: Alias) -> list[tuple[str, object]]:
    """Type and raw value of the ids that an alias call or an event ``$create_alias`` tells of.

    ``previousId`` of the call, and of the event its ``alias`` beside its ``distinct_id``,
    which is the user if no userId is given. What is the anonymousId anyway is left out.
    """
    if call == "alias":
        before, present = body.get("previousId"), None
    elif call == "track" and body.get("event") == CREATE_ALIAS:
        properties = body.get("properties")
        told = properties if isinstance(properties, dict) else {}
        before, present = told.get("alias"), told.get("distinct_id")
    else:
        return []
    found = [("user_id", present)] if body.get("userId") is None else []
    if before != body.get("anonymousId"):
        found.append(("anonymous_id" if alias is Alias.ANONYMOUS else "user_id", before))
    return found
