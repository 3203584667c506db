"""Which call a path is: Segment's HTTP tracking API (``field.md`` 2.1)."""

from cauce.vocabulary.event import Call

_SHORT = {
    "i": Call.IDENTIFY,
    "t": Call.TRACK,
    "p": Call.PAGE,
    "s": Call.SCREEN,
    "g": Call.GROUP,
    "a": Call.ALIAS,
}
_CALLS: dict[str, Call | None] = {**{call.value: call for call in Call}, **_SHORT, "batch": None, "b": None}
ROUTES = {f"{prefix}/{name}": call for prefix in ("", "/v1") for name, call in _CALLS.items()}
"""Path → call; None for batches. Short paths are those of browser and mobile SDKs."""

DISCARDED = frozenset({"/m", "/v1/m"})
"""Paths where SDKs report about themselves: answered, not kept."""
