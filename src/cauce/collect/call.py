"""Which call a path is: Segment's HTTP tracking API (``field.md`` 2.1)."""

from cauce.vocabulary.event import TRACKING, Call

_SHORT = {
    "i": Call.IDENTIFY,
    "t": Call.TRACK,
    "p": Call.PAGE,
    "s": Call.SCREEN,
    "g": Call.GROUP,
    "a": Call.ALIAS,
}
_PREFIXES = ("", "/v1")
_CALLS: dict[str, Call | None] = {
    **{call.value: call for call in TRACKING},
    **_SHORT,
    "batch": None,
    "b": None,
}
ROUTES = {f"{prefix}/{name}": call for prefix in _PREFIXES for name, call in _CALLS.items()}
"""Path → call; None for batches. Short paths are those of browser and mobile SDKs."""

PIXELS = {f"{prefix}/pixel/{call.value}": call for prefix in _PREFIXES for call in TRACKING}
"""Paths of pictures whose address carries an event, for e-mails and pages without scripts."""

VALIDATING = frozenset(f"{prefix}/validate" for prefix in _PREFIXES)
"""Paths that say what would become of events, and keep nothing."""

DISCARDED = frozenset(f"{prefix}/m" for prefix in _PREFIXES)
"""Paths where SDKs report about themselves: answered, not kept."""
