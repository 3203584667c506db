"""What-if: other identity rules over the evidence that the state has, compared with the people it has.

Nothing is derived but the partition: who would be whom. What a state would look like
under it is told by looking again at those who become others.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa

from cauce.app.compose import Composition
from cauce.app.plan.identity_links import Links, Rules
from cauce.app.plan.identity_model import Merge, Merges, SegmentSize, Somebody, Split, Splits, WhatIf
from cauce.app.plan.identity_people import Homes, Turned, homes, largest, sizes_of, turned
from cauce.app.plan.identity_segments import Sizes, others
from cauce.app.plan.identity_values import MEANINGS, Looked, Reading, worst
from cauce.app.plan.model import NAMED
from cauce.app.rebuild.derive import Resources
from cauce.identity.bulk_evidence import Evidence, Integers
from cauce.identity.bulk_partition import Identifiers, Partition, identifiers_of, partition
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.service import Identity
from cauce.identity.stored_columns import NOBODY, Side, stored_evidence, stored_keys, stored_side
from cauce.identity.stored_facts import StoredFacts
from cauce.storage.records import Reader
from cauce.vocabulary.moment import Moment

_MOST_ORDERED = 10_000
"""Of so many identifiers of one person the strongest are looked for."""


def what_if(
    before: Composition,
    after: Composition,
    live: Reader,
    at: Moment,
    *,
    derived: Reader | None = None,
    segments: list[SegmentSize] | None = None,
    meanings: Mapping[str, str] = MEANINGS,
) -> WhatIf:
    """What the identity rules of ``after`` make of the events that the live state has folded.

    ``derived`` is a state that was derived anew, which is read instead where identifiers are
    normalized otherwise; ``segments`` are then those that differ in it. ``meanings`` says
    which traits are names and birth dates. Raises ``Transient`` if memory ran out.
    """
    settings = before.settings.rebuild
    resources = Resources(before.space.scratch, f"{settings.memory_mb}MB", settings.threads)
    with resources.lake() as lake:
        shadow = Shadow(lake, before.identity, after.identity, live, derived or live)
        if segments is None:
            sizes = Sizes(lake, live, before.pipeline, at)
            segments = sizes.changed(others(shadow.old, shadow.new), shadow.new, shadow.types)
        return shadow.told(before, segments, meanings)


class Shadow:
    """Two views over the same evidence: the one that a state has, and one that other rules make."""

    def __init__(
        self,
        lake: duckdb.DuckDBPyConnection,
        before: Identity,
        after: Identity,
        live: Reader,
        source: Reader,
    ) -> None:
        self._lake = lake
        self._before, self._after = before, after
        self._live, self._source = live, source
        self._evidence: Evidence = stored_evidence(lake, source, after.view)
        self._identifiers: Identifiers = identifiers_of(self._evidence, after.policy)
        self._rules = Rules(after.policy, StoredFacts(after.policy).of(source))
        self._found: Partition = partition(lake, self._evidence, self._identifiers, *self._rules[:2])
        keys, count = self._evidence.keys, len(self._evidence.offsets) - 1
        owner = _homes_of(self._found.owner, self._found.profile)
        self.new = Side(keys, self._found.profile, owner)
        if source is live:
            self.old = stored_side(live, before.view, keys, count)
        else:
            self.old = stored_side(live, before.view, stored_keys(live), 0)
        self._homes: Homes = homes(self.old, self.new)
        self._names = Names(before.view)

    @property
    def types(self) -> pa.Array:
        """The type of each identifier that counts after, by its id - 1."""
        ranks = self._identifiers.ranks
        return pa.array(self._after.policy.types).take(pa.array(ranks, mask=ranks == NOBODY))

    def told(self, before: Composition, segments: list[SegmentSize], meanings: Mapping[str, str]) -> WhatIf:
        """All that is told of it."""
        found = turned(self._homes)
        return WhatIf(
            before=found.before,
            after=found.after,
            vanish=found.vanish,
            appear=found.appear,
            merges=self._merges(found, before, meanings),
            splits=self._splits(found),
            segments=segments,
        )

    def _merges(self, found: Turned, before: Composition, meanings: Mapping[str, str]) -> Merges:
        old, new = found.merging
        biggest = largest(new, self._homes.after, NAMED)
        reading = Reading(
            self._source,
            self._owner_before,
            self.new.owner,
            before.profiles.rules,
            self._id_before,
            except_for=(*self._before.policy.types, *self._after.policy.types),
            meanings=meanings,
        )
        seen = worst(reading.merged(np.unique(new), sizes_of(self._homes.after)), NAMED, biggest)
        known: dict[int, Merge] = {}

        def told(profile: int, looked: Looked | None) -> Merge:
            if profile not in known:
                known[profile] = self._merge(profile, old[new == profile], looked)
            return known[profile]

        return Merges(
            count=len(np.unique(new)),
            people=len(np.unique(old)),
            largest=[told(profile, seen.wanted.get(profile)) for profile in biggest],
            mixed=[told(one.profile, one) for one in seen.mixed],
            contradicting=[told(one.profile, one) for one in seen.contradicting],
        )

    @cached_property
    def _owner_before(self) -> Integers:
        """The profile before of each signature - 1: where its strongest identifier was."""
        if self._homes.before is self.old.profile:
            return self.old.owner
        return _homes_of(self._found.owner, self._homes.before)

    def _merge(self, profile: int, people: Integers, looked: Looked | None) -> Merge:
        return Merge(
            person=self._person_after(profile),
            count=len(people),
            people=[self._person_before(one) for one in largest(people, self._homes.before, NAMED)],
            links=self._links.joining(profile),
            contradictions=looked.contradictions if looked else [],
        )

    def _splits(self, found: Turned) -> Splits:
        old, new = found.splitting
        rules = Rules(self._before.policy, StoredFacts(self._before.policy).of(self._live))
        links = self._links_before
        return Splits(
            count=len(np.unique(old)),
            people=len(np.unique(new)),
            largest=[
                Split(
                    person=self._person_before(profile),
                    count=int((old == profile).sum()),
                    people=[
                        self._person_after(one)
                        for one in largest(new[old == profile], self._homes.after, NAMED)
                    ],
                    links=links.parting(profile, rules),
                )
                for profile in largest(old, self._homes.before, NAMED)
            ],
        )

    @cached_property
    def _links(self) -> Links:
        rules = self._rules._replace(cut=self._found.cuts.cut)
        return Links(self._lake, self._evidence, self._homes, rules)

    @property
    def _links_before(self) -> Links:
        """The links among the identifiers of before; whoever asks for it is done with those of after."""
        if self._source is self._live:
            return self._links
        evidence = stored_evidence(self._lake, self._live, self._before.view)
        keys, will_be, was = homes(self.new, self.old)
        return Links(self._lake, evidence, Homes(keys, was, will_be), self._rules)

    def _person_before(self, profile: int) -> Somebody:
        members = np.flatnonzero(self._homes.before == profile)
        return self._somebody(self._id_before(profile), members, self._before.policy)

    def _person_after(self, profile: int) -> Somebody:
        members = np.flatnonzero(self._homes.after == profile)
        anchor = self.new.keys[profile - 1].as_py()
        return self._somebody(self._names.profile_id(anchor), members, self._after.policy)

    def _id_before(self, profile: int) -> str:
        return self._names.profile_id(self.old.keys[profile - 1].as_py())

    def _somebody(self, profile_id: str, members: Integers, policy: Policy) -> Somebody:
        keys = [self._homes.keys[place].as_py() for place in members[:_MOST_ORDERED].tolist()]
        return Somebody(profile_id, len(members), _strongest(keys, policy)[:NAMED])


def _strongest(keys: Iterable[str], policy: Policy) -> list[str]:
    """Identifiers by the priority of their types, then by value."""
    return sorted(keys, key=lambda key: (policy.rank.get(key.partition(":")[0], len(policy.rank)), key))


def _homes_of(owner: Integers, profile: Integers) -> Integers:
    """The profile of the identifier that owns each signature."""
    if not len(profile):
        return np.full(len(owner), NOBODY, np.int64)
    return np.where(owner == NOBODY, NOBODY, profile[np.maximum(owner, 1) - 1])
