"""Mailboxes: the addresses that a mail provider delivers to the same place, as one.

Only rules that the providers publish for all of their addresses: a tag after ``+``,
dots that do not count, further domains of the same mailboxes. Case never counts.
An address of any other domain stays as it is.
"""

from typing import NamedTuple


class Provider(NamedTuple):
    """What a provider ignores: the ``marks`` in a local part, and what follows a ``tag`` mark."""

    domain: str
    tag: str = "+"
    marks: str = ""


_GMAIL = Provider("gmail.com", marks=".")
_PROTON = Provider("proton.me", marks="._-")
_YANDEX = Provider("yandex.ru")

PROVIDERS: dict[str, Provider] = {
    "gmail.com": _GMAIL,
    "googlemail.com": _GMAIL,
    "proton.me": _PROTON,
    "protonmail.com": _PROTON,
    "pm.me": _PROTON,
    "yandex.ru": _YANDEX,
    "yandex.com": _YANDEX,
    "ya.ru": _YANDEX,
    **{
        domain: Provider(domain)
        for domain in (
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "icloud.com",
            "me.com",
            "mac.com",
            "fastmail.com",
            "zoho.com",
            "hey.com",
        )
    },
}
"""Domain → the rules of its mailboxes."""


def mailbox(address: str) -> str:
    """The mailbox of an address in lower case; the address itself where nothing is known of its domain."""
    local, at, domain = address.rpartition("@")
    provider = PROVIDERS.get(domain) if at else None
    if provider is None:
        return address
    plain = local.partition(provider.tag)[0]
    for mark in provider.marks:
        plain = plain.replace(mark, "")
    return f"{plain}@{provider.domain}" if plain else address
