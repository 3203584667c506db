"""The door to identity: resolve a batch of events, find and describe profiles."""

from collections.abc import Iterator, Sequence

import msgspec

from cauce.identity import records
from cauce.identity.everybody import Whole, everybody
from cauce.identity.graph import Graph
from cauce.identity.links import links_of_profile
from cauce.identity.policy import Policy
from cauce.identity.resolution import Described, Link, Resolution
from cauce.identity.rules import Ruleset
from cauce.identity.session import Session
from cauce.identity.stored import StoredRows
from cauce.storage.records import Reader, Transaction
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey, SignatureKey

__all__ = ["Described", "Identity", "Link", "Resolution", "Session"]


class Identity:
    """One identity view: the profiles that one ruleset makes of all signatures."""

    def __init__(self, view: str, ruleset: Ruleset, *, policy: Policy | None = None) -> None:
        self.ruleset = ruleset
        self._name = view
        self._policy = policy or Policy(ruleset)
        self._hash = ruleset.hash

    def begin(
        self,
        transaction: Transaction,
        observations: Sequence[tuple[Identifier, ...]],
        profiles: Sequence[ProfileKey] = (),
    ) -> Session:
        """Start a micro-batch: read all that these events and profiles touch.

        Raises ``Conflict`` if the stored profiles were made by other rules.
        """
        view = self._view(transaction) or self._enter(transaction)
        session = Session(transaction, self._policy, self._name, view)
        session.load(observations, profiles)
        return session

    def find(self, reader: Reader, identifier: Identifier) -> ProfileKey | None:
        """The profile that has a normalized identifier; None if nobody has."""
        found = reader.rows(records.identifiers, "key", [str(identifier)])
        return self._profile_of(reader, found[0][1]) if found else None

    def resolve_id(self, reader: Reader, profile_id: str) -> ProfileKey | None:
        """The present profile of a public id, also of one given out long ago; None if never."""
        view = self._view(reader)
        found = reader.rows(records.issued, "profile_id", [profile_id], view=view)
        return self._profile_of(reader, found[0][2]) if found else None

    def describe(self, reader: Reader, profiles: Sequence[ProfileKey]) -> dict[ProfileKey, Described]:
        """Who these profiles are; one that does not exist is left out."""
        graph = self._graph(reader)
        found = {}
        for profile in profiles:
            group = graph.group(profile)
            if group is not None:
                found[profile] = group
        graph.load(id_ for group in found.values() for id_ in group.ids())
        return {
            profile: Described(
                group.profile_id, graph.identifiers(group), list(map(SignatureKey, group.signatures))
            )
            for profile, group in found.items()
        }

    def everybody(self, reader: Reader) -> Iterator[Whole]:
        """Every profile of the view with its signatures, ascending."""
        return everybody(reader, self._view(reader) or 0)

    def links(self, reader: Reader, profile: ProfileKey) -> list[Link]:
        """Why a profile is one person and others are not: its links, held and rejected, best first."""
        return links_of_profile(self._graph(reader), profile)

    def _profile_of(self, reader: Reader, identifier: int) -> ProfileKey | None:
        found = reader.rows(records.members, "identifier", [identifier], view=self._view(reader))
        return ProfileKey(found[0][2]) if found else None

    def _graph(self, reader: Reader) -> Graph:
        return Graph(self._policy, StoredRows(reader, self._view(reader) or 0))

    def _view(self, reader: Reader) -> int | None:
        """The number of this view; None before its first batch."""
        found = reader.rows(records.views, "name", [self._name])
        if not found:
            return None
        if found[0][2] != self._hash:
            raise Conflict(
                f"The rules of the identity view {self._name} are not those that made its profiles.",
                hint="Bring the former rules back, or fold the log into a new state store.",
            )
        return int(found[0][0])

    def _enter(self, transaction: Transaction) -> int:
        """Store the ruleset of a view that is new."""
        number = transaction.progress(_VIEWS) + 1
        transaction.advance(_VIEWS, number)
        rules = msgspec.json.encode(self.ruleset).decode()
        transaction.put(records.views, [(number, self._name, self._hash, rules)])
        return number


_VIEWS = "identity.views"
