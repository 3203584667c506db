"""A swap: whom it tells what, and that nothing is swapped unless the state is that of one position."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cauce.activate.records import delivery
from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.pipeline import LOG, ROUND, MovedOn, require_no_round
from cauce.app.plan.identity import swap_if_needed
from cauce.app.plan.planning import make_plan
from cauce.app.rebuild import shadow
from cauce.app.rounds.plan import store_round
from cauce.app.settled import settled
from cauce.eventlog.seal import seal
from cauce.identity.records import identifiers
from cauce.segment.records import membership
from cauce.storage.stores import Other, Stores
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.definitions import SegmentDef, TraitDef, WebhookDef
from cauce.vocabulary.event import Position, read_event
from cauce.vocabulary.moment import Moment
from tests.property.feed_of_moves import partition, replayed
from tests.property.small_company import Line
from tests.property.small_space import (
    ANALYST,
    OWNER,
    applied,
    closed,
    defined,
    folded,
    log_lines,
    space,
)
from tests.services.postgres import Place

BUYERS = SegmentDef(
    key="buyers",
    owner=OWNER,
    rule="event('Order Completed').count() >= 1",
    anonymous=True,
    destinations=("crm",),
)
CRM = WebhookDef(
    name="crm",
    owner=OWNER,
    url="https://x.example/",
    secret="env:NONE",
    fields=("trait.plan", "trait.revenue"),
)
REVENUE = TraitDef(name="revenue", owner=OWNER, compute="event('Order Completed').sum('total')")


def call(user: str, **body: Any) -> Line:
    return Line(1, 0, "web", {"userId": user, **body})


def order(user: str, total: float) -> Line:
    return call(user, type="track", event="Order Completed", properties={"total": total})


def told(composition: Composition) -> list[dict[str, Any]]:
    """The traits that deliveries tell, oldest first."""
    with composition.state.read() as reader:
        rows = reader.select(select(delivery.c.body).order_by(delivery.c.sequence))
    return [json.loads(row[0])["context"].get("traits", {}) for row in rows]


def test_destinations_are_told_computed_traits(tmp_path: Path) -> None:
    composition = space(tmp_path)
    lines = [call("u1", type="identify", traits={"plan": "gold"}), order("u1", 5), order("u1", 12.5)]
    at = log_lines(composition, lines)
    definitions = defined(traits=(REVENUE,), segments=(BUYERS,), destinations=(CRM,))
    composition = folded(applied(composition, definitions, at), at)
    assert told(composition) == [{"plan": "gold", "revenue": 17.5}]
    with composition.state.write() as transaction:
        transaction.clear(membership)
        transaction.clear(delivery)
    shadow(composition).swap()
    assert told(composition) == [{"plan": "gold", "revenue": 17.5}]
    closed(composition)


PHONE = call("u1", type="identify", traits={"phone": "600 123 123"})


def phones(composition: Composition) -> set[str]:
    """The phone numbers of the people in force."""
    with composition.state.read() as reader:
        found = partition(reader)
        assert replayed(reader) == found
        keys = {row[0]: row[1] for row in reader.select(select(identifiers.c.id, identifiers.c.key))}
    return {keys[one] for one in found if keys[one].startswith("phone:")}


@pytest.mark.parametrize("sealed", [False, True])
def test_people_are_those_of_the_normalization_that_is_applied(tmp_path: Path, sealed: bool) -> None:
    composition = space(tmp_path)
    at = log_lines(composition, [PHONE, order("u1", 5)])
    composition = folded(applied(composition, defined(), at), at)
    assert phones(composition) == {"phone:600123123"}
    if sealed:
        seal(tmp_path, Position(composition.log.head()), composition.plan.how, plan=composition.plan)
        assert composition.log.sealed_upto() == composition.log.head()
    plan = make_plan(composition, defined(region="ES"), now=at, purpose=OPERATIONS, viewer=ANALYST)
    assert plan.rebuilt is not None  # and that state is there now, but it is not what is applied
    composition = applied(composition, defined(region="FR"), at)
    assert swap_if_needed(composition) is not None
    composition = composition.renewed()
    assert phones(composition) == {"phone:+33600123123"}
    assert bring_into_force(composition, lambda: at).version_in_force == 2
    assert shadow(composition).differences().none
    closed(composition)


@pytest.fixture
def on_postgres(tmp_path: Path, postgres: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Composition]:
    """A space on PostgreSQL with many people who order, nothing of it folded."""
    for name, value in postgres.variables.items():
        monkeypatch.setenv(name, value)
    composition = space(tmp_path)
    at = log_lines(composition, [order(f"u{number}", number) for number in range(80)])
    composition = applied(composition, defined(segments=(BUYERS,)), at)
    yield bring_into_force(composition, lambda: at)
    closed(composition)


def half_folded(composition: Composition) -> None:
    """Fold an event, begin a round of two lanes and fold one of them, as if the workers had ended then."""
    rows = composition.log.read(Position(0), 1_000)
    events = [read_event(row, composition.normalization(row.source)) for row in rows]
    composition.pipeline.fold(events[:1])  # nothing is dealt out before there is anything
    with composition.state.write() as transaction:
        assert store_round(transaction, composition.pipeline, events[1:], [], 2)
    assert composition.worker(lambda: Moment(rows[-1].received)).step()
    with composition.state.read() as reader:
        assert (reader.progress(LOG), reader.progress(ROUND)) == (rows[0].position, rows[-1].position)
        assert reader.select(select(membership))


def test_nothing_is_swapped_within_a_round(on_postgres: Composition) -> None:
    composition = on_postgres
    half_folded(composition)
    with pytest.raises(MovedOn), settled(composition.state, 0.0):
        pass
    made = shadow(composition)
    with pytest.raises(MovedOn):
        composition.stores.swap(Other.SHADOW, lambda _: None, require_no_round)
    with composition.state.read() as reader:
        assert reader.progress(ROUND)
    found = made.swap()  # which lets the round end first
    assert found.none
    with composition.state.read() as reader:
        assert (reader.progress(LOG), reader.progress(ROUND)) == (composition.log.head(), 0)
        assert len(reader.select(select(membership))) == 80
        assert replayed(reader) == partition(reader)


class Disturbed(Composition):
    """A space in which somebody folds one more event between comparing and swapping, once."""

    orders = 0

    @property
    def stores(self) -> Any:
        return _Disturbing(super().stores, self)


class _Disturbing:
    def __init__(self, stores: Stores, composition: Disturbed) -> None:
        self._stores = stores
        self._composition = composition

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stores, name)

    def swap(self, *arguments: Any) -> None:
        self._composition.orders += 1
        if self._composition.orders == 1:
            other = Composition(self._composition.space.root)
            folded(other, log_lines(other, [order("u2", 6)], 1))
            closed(other)
        self._stores.swap(*arguments)


def test_what_somebody_folds_in_between_is_not_lost(tmp_path: Path) -> None:
    composition = space(tmp_path)
    at = log_lines(composition, [order("u1", 5)])
    composition = folded(applied(composition, defined(segments=(BUYERS,), destinations=(CRM,)), at), at)
    disturbed = Disturbed(tmp_path)
    assert shadow(disturbed).swap().none
    assert disturbed.orders == 2
    with composition.state.read() as reader:
        assert reader.progress(LOG) == composition.log.head()
        assert len(reader.select(select(membership))) == 2
        assert len(reader.select(select(delivery))) == 2
        assert replayed(reader) == partition(reader)
    closed(composition)
    closed(disturbed)
