"""What a single value gives away, and how it is shown to people who need not read it."""

from enum import StrEnum

from cauce.identity.address_words import (
    PLACEHOLDERS,
    is_disposable,
    is_placeholder_address,
    is_role,
    split_address,
)


class Look(StrEnum):
    """What a value looks like."""

    ORDINARY = ""
    PLACEHOLDER = "placeholder"
    NUMBER = "number"
    ROLE = "role"
    DISPOSABLE = "disposable"


def look(value: str, *, email: bool, phone: bool) -> Look:
    """What a normalized value looks like.

    ``NUMBER``: digits that could be filled in or could be a customer's number, such as
    12345: whether it is nobody's is told by the number of its owners.
    """
    if email and "@" in value:
        local, domain = split_address(value)
        if is_placeholder_address(value) or _monotonous(local):
            return Look.PLACEHOLDER
        if is_role(local):
            return Look.ROLE
        return Look.DISPOSABLE if is_disposable(domain) else Look.ORDINARY
    digits = value.lstrip("+")
    if digits.isdigit():
        if not digits.strip("0"):
            return Look.PLACEHOLDER
        if phone:
            return Look.PLACEHOLDER if _no_phone(digits) else Look.ORDINARY
        return Look.NUMBER if _monotonous(digits) or _counted(digits) else Look.ORDINARY
    lowered = value.lower()
    return Look.PLACEHOLDER if lowered in PLACEHOLDERS or _monotonous(lowered) else Look.ORDINARY


_COUNTED = ("0123456789012345", "9876543210987654")
_SUBSCRIBER = 7
_SAME = 4
_KINDS = 5
"""More kinds of characters are more than one and what may stand between."""


def _monotonous(text: str) -> bool:
    """One character again and again, whatever stands between: ``xxxx``, ``0000-0000``."""
    if len(set(text)) > _KINDS:
        return False
    plain = [c for c in text if c.isalnum()]
    return len(plain) >= _SAME and len(set(plain)) == 1


def _counted(digits: str) -> bool:
    return len(digits) >= _SAME and any(digits in row for row in _COUNTED)


def _no_phone(digits: str) -> bool:
    """Whether the digits of a subscriber are all the same or count up or down."""
    subscriber = digits[-_SUBSCRIBER:]
    return len(digits) < _SAME or _monotonous(subscriber) or _counted(subscriber)


def mask(value: str) -> str:
    """Enough of a value to recognize it for who knows it: ``a…@example.org``, ``…42``."""
    local, domain = split_address(value)
    if domain:
        return f"{local[:1]}…@{domain}"
    return f"…{value[-2:]}" if len(value) > _SAME else "…"
