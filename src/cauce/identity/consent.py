"""Consent for identifiers: when it was withdrawn and granted, for the purpose of one view.

An observation that names an identifier is dead if it is not later than the last
withdrawal, or later with no grant in between (``identity.md`` section 2). On equal
time a withdrawal wins over a grant, and a grant counts for what happens with it.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from cauce.vocabulary.moment import Moment

_NEVER = Moment((1 << 63) - 1)


class Consent(NamedTuple):
    """What the event ``id`` said at a time of identifiers ``type:value``."""

    id: str
    time: Moment
    grant: bool
    keys: tuple[str, ...]


class Consents:
    """All that was said about consent."""

    def __init__(self) -> None:
        self._by_id: dict[str, Consent] = {}
        self._by_key: dict[str, dict[str, Consent]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def add(self, consent: Consent) -> Collection[str]:
        """Take a withdrawal or a grant; the identifiers concerned."""
        if consent.id in self._by_id:
            return ()
        self._by_id[consent.id] = consent
        for key in consent.keys:
            self._by_key.setdefault(key, {})[consent.id] = consent
        return consent.keys

    def drop(self, id_: str) -> Collection[str]:
        """Take back what an event said; the identifiers concerned."""
        consent = self._by_id.pop(id_, None)
        if consent is None:
            return ()
        for key in set(consent.keys):
            del self._by_key[key][id_]
            if not self._by_key[key]:
                del self._by_key[key]
        return consent.keys

    def withdrawn(self) -> dict[str, Moment]:
        """The identifiers whose consent was withdrawn, and from which moment on observations count again."""
        dead = {key: self._again(key) for key in sorted(self._by_key)}
        return {key: again for key, again in dead.items() if again is not None}

    def allow(self, keys: Iterable[str], time: Moment) -> bool:
        """Whether an observation of these identifiers at a time counts."""
        for key in keys:
            if key in self._by_key and (again := self._again(key)) is not None and time < again:
                return False
        return True

    def _again(self, key: str) -> Moment | None:
        """The first grant after the last withdrawal, the end of time without one; None if never withdrawn."""
        said = self._by_key[key].values()
        last = max((one.time for one in said if not one.grant), default=None)
        if last is None:
            return None
        return min((one.time for one in said if one.grant and one.time > last), default=_NEVER)
