"""What differs inside a field: the innermost values that are not the same, each with its place."""

from collections.abc import Iterator
from typing import Any

Difference = tuple[str, Any, Any]
"""Where a value differs, as ``rules.identifiers[user_id].limit``, and the value before and after."""


def differences_within(place: str, before: Any, after: Any) -> Iterator[Difference]:
    """The innermost values that differ; a value that is not written is None."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences_within(f"{place}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(place, before, after)
    else:
        yield place, before, after


def _lists(place: str, before: list[Any], after: list[Any]) -> Iterator[Difference]:
    old, new = _by_type(before), _by_type(after)
    if not (old and new):
        gone = [one for one in before if one not in after]
        come = [one for one in after if one not in before]
        changed = gone or come  # else the order is all that differs
        yield place, (gone or None) if changed else before, (come or None) if changed else after
        return
    for type_ in [*old, *(type_ for type_ in new if type_ not in old)]:
        yield from differences_within(f"{place}[{type_}]", old.get(type_), new.get(type_))
    if old.keys() == new.keys() and list(old) != list(new):
        yield f"{place}, in order", ", ".join(old), ", ".join(new)


def _by_type(entries: list[Any]) -> dict[str, Any]:
    """Entries by their type, if each has another one."""
    found = {str(one["type"]): one for one in entries if isinstance(one, dict) and "type" in one}
    return found if len(found) == len(entries) else {}
