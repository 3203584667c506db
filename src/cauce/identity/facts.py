"""Facts: what was stated so far, as one view takes it, and the rows in which it is kept."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cauce.identity.consent import Consent, Consents
from cauce.identity.policy import Policy
from cauce.identity.statements import Statement, Statements
from cauce.storage.records import Row
from cauce.vocabulary.event import Event, Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.statement import PAIRS, Op

_read_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_encode = msgspec.json.Encoder().encode


class Fact(NamedTuple):
    """One statement: the event's id and time, what it says, and of what."""

    position: Position
    id: str
    time: Moment
    op: Op
    keys: tuple[str, ...] = ()
    """Identifiers ``type:value``."""
    purposes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: Event) -> "Fact | None":
        """What an event states; None if it states nothing."""
        said = event.statement
        if said is None:
            return None
        keys = tuple(map(str, said.identifiers))
        return cls(event.position, event.message_id, event.time, said.op, keys, said.purposes, said.events)

    @classmethod
    def stored(cls, row: Row) -> "Fact":
        """A row of ``identity_statement``."""
        position, id_, time, op, *lists = row
        return cls(Position(position), id_, Moment(time), Op(op), *map(_read_texts, lists))

    def row(self) -> Row:
        """Its row."""
        lists = (_encode(one).decode() for one in (self.keys, self.purposes, self.events))
        return (self.position, self.id, self.time, self.op.value, *lists)

    def pair(self, policy: Policy) -> Statement | None:
        """What it says of a pair; None if it says nothing that counts in this view."""
        if self.op not in PAIRS:
            return None
        keys = [key for key in self.keys if _counts(policy, key)]
        return Statement(self.id, self.time, self.op is Op.NEVER, *keys) if len(keys) == 2 else None

    def consent(self, policy: Policy) -> Consent | None:
        """What it says of consent; None if it says nothing that concerns this view."""
        if self.op not in (Op.WITHDRAW, Op.GRANT) or not policy.covers(self.purposes):
            return None
        return Consent(self.id, self.time, self.op is Op.GRANT, self.keys)


class Facts:
    """Everything that was stated."""

    def __init__(self, policy: Policy) -> None:
        self.statements = Statements(policy.order)
        self.consents = Consents()
        self.retracted: set[str] = set()
        self.stated: set[int] = set()
        """The numbers of identifiers that something is stated of, as far as events named them."""

    @classmethod
    def gathered(cls, policy: Policy, facts: Sequence[Fact]) -> "Facts":
        """All facts at once."""
        found = cls(policy)
        found.retracted = {id_ for one in facts if one.op is Op.RETRACT for id_ in one.events}
        for one in facts:
            if one.id in found.retracted:
                continue
            if (statement := one.pair(policy)) is not None:
                found.statements.add(statement)
            elif (consent := one.consent(policy)) is not None:
                found.consents.add(consent)
        return found


def _counts(policy: Policy, key: str) -> bool:
    one = Identifier(*key.partition(":")[::2])
    return policy.counts(one.type, one.value)
