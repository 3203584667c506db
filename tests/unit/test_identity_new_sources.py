"""Naming a source before anything came from it changes nobody; after that it changes the rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment

ANN = (Identifier("user_id", "ann"), Identifier("email", "ann@x.example"))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = SqliteRecords(tmp_path / "state.db", STATE)
    yield made
    made.close()


def identity(**changed: Any) -> Identity:
    return Identity("person", read_rules({**default_rules(), **changed}))


def observe(records: Records, view: Identity, source: str, position: int) -> None:
    with records.write() as transaction:
        session = view.begin(transaction, [ANN])
        session.observe(ANN, time=Moment(position), source=source, position=Position(position))
        session.save()


def test_a_source_that_nothing_came_from_may_get_a_strength(records: Records) -> None:
    observe(records, identity(), "web", 1)
    later = identity(strength={"crm": 20})
    with records.read() as reader:
        assert later.find(reader, ANN[0]) is not None
    observe(records, later, "crm", 2)
    with records.read() as reader, pytest.raises(Conflict):
        identity().find(reader, ANN[0])


@pytest.mark.parametrize("changed", [{"strength": {"web": 1}}, {"max_ids_per_event": 3}])
def test_rules_that_made_profiles_stay(records: Records, changed: dict[str, Any]) -> None:
    observe(records, identity(), "web", 1)
    with records.write() as transaction, pytest.raises(Conflict, match="not those that made"):
        identity(**changed).begin(transaction, [ANN])
