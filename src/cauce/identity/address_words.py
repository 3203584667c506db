"""What is known of addresses without looking at data: roles, placeholders, providers, throw-away domains.

The words stand in ``address_words.toml``: what is met often, in the languages that
are met often. They are a start; an audit adds what the data shows by frequency.
"""

import tomllib
from pathlib import Path

_TEXTS: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _words(name: str) -> frozenset[str]:
    lines = (line for line in _TEXTS[name].splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


ROLES = _words("roles")
"""Local parts that name an office, not a person."""

PLACEHOLDERS = _words("placeholders")
"""Values, or local parts of addresses, that are filled in where there is none; in lower case."""

PLACEHOLDER_DOMAINS = _words("placeholder_domains")
"""Domains of addresses that nobody has."""

PROVIDERS = _words("providers")
"""Public mail providers: an address there is somebody's own, a near miss of one is a typing error."""

DISPOSABLE = _words("disposable")
"""Domains of addresses to throw away."""

_SHORT = 2
"""Local parts of so few characters may be somebody's initials."""


def split_address(address: str) -> tuple[str, str]:
    """Local part and domain of an address; the domain is empty if it has none."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (address, "")


def is_role(local: str) -> bool:
    """Whether a local part, with or without a tag (``info+web``), names an office."""
    plain = local.lower().partition("+")[0]
    return plain in ROLES or plain.replace(".", "").replace("_", "") in ROLES


def is_placeholder_address(address: str) -> bool:
    """Whether nobody can have an address: a filled-in word before the at sign, or a domain of that kind."""
    local, domain = split_address(address.lower())
    filled_in = local in PLACEHOLDERS and local not in ROLES and len(local) > _SHORT
    return filled_in or domain in PLACEHOLDER_DOMAINS


def is_disposable(domain: str) -> bool:
    """Whether a domain, or one it is part of, gives addresses to throw away."""
    parts = domain.lower().split(".")
    return any(".".join(parts[start:]) in DISPOSABLE for start in range(len(parts) - 1))
