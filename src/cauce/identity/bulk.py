"""Identity in bulk: the tables that the stream would have made of the same events.

In comes a relation of events in DuckDB, with their identifiers; out go rows for every
table of ``records.py`` but the change feed, which says how things came about.
"""

from collections.abc import Iterable, Iterator, Sequence

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy import Table

from cauce.identity import records
from cauce.identity.bulk_evidence import SIGNATURE_OF, allowed_query, evidence, evidence_query, gather
from cauce.identity.bulk_facts import EXCLUDED, exclude
from cauce.identity.bulk_partition import Identifiers, Partition, identifiers_of, partition
from cauce.identity.bulk_rows import identifier_rows, member_rows, profile_rows
from cauce.identity.facts import Fact, Facts
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.stored_facts import STATEMENTS

__all__ = ["KEYS", "PEOPLE", "TYPES", "BulkIdentity", "signed"]

PEOPLE = "identity_owner"
"""The table ``signature BIGINT, profile BIGINT``: whose the events of a signature are."""

TYPES = "identity_types"
"""The table ``profile BIGINT, type VARCHAR``: the types of everybody's identifiers, each once."""

KEYS = "identity_key"
"""The table ``id BIGINT, key VARCHAR``: every identifier by its number."""

_VIEW = 1
_ROWS = 100_000


class BulkIdentity:
    """The identity view that a policy makes of a relation's events.

    ``events`` has position, time, source and identifiers (lists of ``type:value``).
    Leaves ``PEOPLE``, ``TYPES`` and what ``signed`` reads in the connection.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        events: str,
        view: str,
        policy: Policy,
        facts: Sequence[Fact] = (),
    ) -> None:
        self._connection = connection
        self._policy = policy
        self._name = view
        self._facts = facts
        known = Facts.gathered(policy, facts)
        gather(connection, events)
        self._excluding = bool(known.retracted or known.consents)
        if self._excluding:
            exclude(connection, events, known)
        found = evidence(connection)
        self._signatures = len(found.offsets) - 1
        self._identifiers: Identifiers = identifiers_of(found, policy)
        self._found: Partition = partition(connection, found, self._identifiers, policy, known)
        self._people()

    def _people(self) -> None:
        owner, profile, ranks = self._found.owner, self._found.profile, self._identifiers.ranks
        owned = np.flatnonzero(owner >= 0)
        self._keep(PEOPLE, pa.table({"signature": owned + 1, "profile": profile[owner[owned] - 1]}))
        live, width = profile >= 0, len(self._policy.types)
        both = np.unique(profile[live] * width + ranks[live])
        types = pa.array(self._policy.types).take(pa.array(both % width))
        self._keep(TYPES, pa.table({"profile": both // width, "type": types}))

    def _keep(self, name: str, table: pa.Table) -> None:
        self._connection.register("identity_kept", table)
        self._connection.execute(f"CREATE TEMPORARY TABLE {name} AS FROM identity_kept")
        self._connection.unregister("identity_kept")

    def counting(self, events: str) -> str:
        """A relation of those events of a relation that count."""
        if not self._excluding:
            return events
        return f"(FROM {events} ANTI JOIN {EXCLUDED} USING (position))"

    def profiles(self) -> dict[str, list[str]]:
        """Anchor → members as ``type:value``, in order of their text."""
        profile, keys = self._found.profile, self._identifiers.keys.to_pylist()
        found: dict[str, list[str]] = {}
        for place in np.flatnonzero(profile >= 0).tolist():
            found.setdefault(keys[profile[place] - 1], []).append(keys[place])
        return {anchor: sorted(members) for anchor, members in found.items()}

    def progress(self) -> dict[str, int]:
        """How far the counters of ids have come."""
        return {
            "identity.identifiers": len(self._identifiers.hashes),
            "identity.signatures": self._signatures,
            "identity.views": _VIEW,
            STATEMENTS: max((one.position for one in self._facts), default=0),
        }

    def rows(self) -> Iterator[tuple[Table, Iterable[pa.RecordBatch]]]:
        """Each table with its rows, in the order of its key; to be taken one after another."""
        rules = self._policy.ruleset
        view = {"id": [_VIEW], "name": [self._name], "hash": [rules.hash]}
        yield records.views, [pa.record_batch({**view, "rules": [msgspec.json.encode(rules).decode()]})]
        yield records.identifiers, identifier_rows(self._identifiers)
        sets = "SELECT signature AS id, key AS identifiers FROM identity_signature ORDER BY signature"
        yield records.signatures, self._query(sets)
        yield records.evidence, self._query(evidence_query(self._connection))
        if self._facts:
            rows = [one.row() for one in self._facts]
            columns = dict(zip(records.statements.columns.keys(), zip(*rows, strict=True), strict=True))
            yield records.statements, [pa.record_batch({name: list(c) for name, c in columns.items()})]
        if self._excluding:
            yield records.allowed, self._query(allowed_query(self._connection, _VIEW))
        yield records.members, member_rows(_VIEW, self._identifiers, self._found, self._policy)
        names = Names(self._name)
        yield records.profiles, profile_rows(_VIEW, self._identifiers, self._found, names, self._policy)

    def _query(self, sql: str) -> Iterator[pa.RecordBatch]:
        yield from self._connection.sql(sql).to_arrow_reader(_ROWS)


def signed(events: str) -> str:
    """A query for the events of a relation with the signature of each, null for nobody's."""
    return f"""
    SELECT event.*, known.signature FROM (SELECT * EXCLUDE (signature) FROM {events}) AS event
    LEFT JOIN {SIGNATURE_OF} AS known ON known.spelling = array_to_string(event.identifiers, chr(0))
      AND (known.identifiers IS NULL OR known.identifiers = event.identifiers)
    """
