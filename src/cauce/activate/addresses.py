"""Addresses: which internet addresses a request may go to.

Only what is globally reachable, after the IANA registries of special-purpose
addresses (RFC 6890 and its updates). A forged or careless destination must not
reach what listens inside the network that Cauce runs in.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_PRIVATE = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
}
"""What ``allow_private`` opens."""

_FORBIDDEN = {
    "unspecified": ("0.0.0.0/8", "::/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "IPv4 inside IPv6": (
        "::ffff:0:0/96",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
    ),
    "reserved": (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation, as are 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    ),
}

_GLOBAL = IPv6Network("2000::/3")
"""The only part of IPv6 from which global unicast addresses are given out (RFC 4291)."""

Network = IPv4Network | IPv6Network


def _networks(kinds: dict[str, tuple[str, ...]]) -> list[tuple[Network, str]]:
    return [
        (IPv6Network(text) if ":" in text else IPv4Network(text), kind)
        for kind, texts in kinds.items()
        for text in texts
    ]


_PRIVATE_NETWORKS = _networks(_PRIVATE)
_FORBIDDEN_NETWORKS = _networks(_FORBIDDEN)


def why_forbidden(text: str, *, allow_private: bool) -> str | None:
    """What kind of forbidden address this is, e.g. ``loopback``; None if it may be called.

    ``text`` is an address as a resolver gives it. ``allow_private`` opens
    loopback and private networks and nothing else: link-local addresses, where
    clouds keep their credentials, stay closed.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "malformed"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        address = IPv6Address(int(address))
    private = _kind(address, _PRIVATE_NETWORKS)
    if private is not None:
        return None if allow_private else private
    kind = _kind(address, _FORBIDDEN_NETWORKS)
    if kind is None and isinstance(address, IPv6Address) and address not in _GLOBAL:
        return "reserved"
    return kind


def _kind(address: IPv4Address | IPv6Address, networks: list[tuple[Network, str]]) -> str | None:
    return next((kind for network, kind in networks if address in network), None)
