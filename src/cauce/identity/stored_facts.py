"""What was stated, read from the state store and kept as long as nothing is added."""

from sqlalchemy import select

from cauce.identity import records
from cauce.identity.facts import Fact, Facts
from cauce.identity.naming import hash_of
from cauce.identity.policy import Policy
from cauce.storage.records import Reader

STATEMENTS = "identity.statements"
"""The counter of the position up to which statements are stored."""


class StoredFacts:
    """The facts of a store under the policy of one view."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._upto = 0
        self._facts = Facts(policy)
        self._unnumbered: set[str] = set()

    def of(self, reader: Reader, *, fresh: bool = False) -> Facts:
        """The facts stored now; ``fresh`` ones may be added to, the others are shared."""
        upto = reader.progress(STATEMENTS)
        if fresh:
            return self._numbered(reader, *self._read(reader, upto))
        if upto != self._upto:
            self._facts, self._unnumbered = self._read(reader, upto)
            self._upto = upto
        return self._numbered(reader, self._facts, self._unnumbered)

    def _read(self, reader: Reader, upto: int) -> tuple[Facts, set[str]]:
        if not upto:
            return Facts(self._policy), set()
        table = records.statements
        rows = reader.select(select(table).order_by(table.c.position))
        facts = Facts.gathered(self._policy, [Fact.stored(row) for row in rows])
        return facts, set(facts.statements.keys())

    def _numbered(self, reader: Reader, facts: Facts, unnumbered: set[str]) -> Facts:
        """The same, with the numbers of those identifiers that events have named by now."""
        if unnumbered:
            for id_, _, key in reader.rows(records.identifiers, "hash", map(hash_of, unnumbered)):
                if key in unnumbered:
                    unnumbered.discard(key)
                    facts.stated.add(id_)
        return facts
