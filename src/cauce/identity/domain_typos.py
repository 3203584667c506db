"""Domains that look like typing errors: a stroke or two away from one that is far more frequent."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from cauce.identity.address_words import PROVIDERS, split_address

TIMES = 20
"""The meant domain is so many times as frequent, unless it is a public provider's."""

FREQUENT = 20
"""A domain of the data with so many addresses is one that people mean."""

_LONG = 9
_SHORT = 5
_FAR = 3
_CHUNK = 20_000
_SLIPPED_ENDS = frozenset({"con", "cm", "co", "om", "cmo", "ocm", "comm", "coom", "vom", "xom", "nt", "ne"})
"""Wrong ends of domains; any other end may be another country's branch."""


def strokes(domain: str) -> int:
    """How many wrong strokes a domain may have and still be told: 2 from nine characters on, else 1."""
    return 2 if len(domain) >= _LONG else 1


def meant(domains: Mapping[str, int]) -> dict[str, str]:
    """The domain that each suspicious one stands for; ``domains``: domain → number of addresses.

    A stroke is a letter too many, too few, another one, or two in the wrong order
    (optimal string alignment distance). A domain with ``FREQUENT`` addresses, and
    ``TIMES`` as many, is meant by one that is within ``strokes`` of it; a public provider
    with a name of five letters or more also by a rare one that is one stroke away.
    Where several are as near, the more frequent one is meant, then the first by its letters.
    """
    targets = sorted(PROVIDERS | {domain for domain, n in domains.items() if n >= FREQUENT})
    suspects = [domain for domain in domains if domain not in PROVIDERS and len(domain) >= _SHORT]
    found: dict[str, str] = {}
    for start in range(0, len(suspects), _CHUNK):
        chunk = suspects[start : start + _CHUNK]
        for wrong, near in _near(chunk, targets):
            rivals = [
                (far, -domains.get(right, 0), right)
                for right, far in near
                if _slipped(wrong, right, far, domains)
            ]
            if rivals:
                found[wrong] = min(rivals)[2]
    return found


def _near(suspects: Sequence[str], targets: Sequence[str]) -> Iterable[tuple[str, list[tuple[str, int]]]]:
    """For each suspect the targets within the strokes allowed, with how far they are, if there are any."""
    distances = cdist(suspects, targets, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
    distances[distances == 0] = _FAR  # itself
    for row in np.flatnonzero(distances.min(axis=1) < _FAR).tolist():
        wrong, few = suspects[row], strokes(suspects[row])
        columns = np.flatnonzero(distances[row] <= few).tolist()
        if columns:
            yield wrong, [(targets[column], int(distances[row, column])) for column in columns]


def _slipped(wrong: str, right: str, far: int, domains: Mapping[str, int]) -> bool:
    """Whether one domain is rare enough beside the other to be a slip of it."""
    many = domains.get(right, 0)
    if many >= FREQUENT and many >= TIMES * domains[wrong]:
        return True
    name = right.partition(".")[0]
    if far > 1 or right not in PROVIDERS or len(name) < _SHORT or domains[wrong] >= FREQUENT:
        return False
    return name != wrong.partition(".")[0] or wrong.partition(".")[2] in _SLIPPED_ENDS


def slip_of(address: str, others: Iterable[str]) -> str | None:
    """Which of a person's other addresses, or which provider's, an address is a slip of; None if of none.

    Of the person's: the same local part with a domain of few wrong strokes, or the same
    domain with one wrong stroke, of a letter, in a local part of five characters or more.
    """
    local, domain = split_address(address)
    if not domain:
        return None
    for other in sorted(others):
        other_local, other_domain = split_address(other)
        if other == address or not other_domain:
            continue
        far = OSA.distance(domain, other_domain)
        if local == other_local and 0 < far <= strokes(domain) and domain not in PROVIDERS:
            return other
        if far == 0 and _same_name(local, other_local):
            return other
    right = meant({domain: 1}).get(domain)
    return f"{local}@{right}" if right else None


def _same_name(local: str, other: str) -> bool:
    """Whether two local parts differ by one stroke that is no digit: numbers tell namesakes apart."""
    if len(local) < _SHORT or OSA.distance(local, other) != 1:
        return False
    return "".join(filter(str.isdigit, local)) == "".join(filter(str.isdigit, other))
