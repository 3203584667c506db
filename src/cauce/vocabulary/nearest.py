"""The nearest valid name, for errors that tell what the writer probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name`` without regard to case; None if none is like it."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, or else the known names (12 at most)."""
    names = list(known)
    close = nearest(name, names)
    if close is not None:
        return f"Did you mean {close}?"
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"Valid names: {', '.join(names[:_SHOWN])}{more}."
