"""Shadow, swap and the way back, on both engines: what is carried, who sees it, what is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest

from cauce.identity.records import identifiers, views
from cauce.segment.records import membership, membership_change
from cauce.storage.records import STATE, Reader, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.storage.sqlite_stores import SqliteStores
from cauce.storage.stores import Other, Stores
from cauce.vocabulary.errors import NotFound, Transient

CHANGE = (1, "s", 1, "p_1", 1, 5, 0, "")


class Engine(NamedTuple):
    """The store in force and the stores beside it."""

    live: Records
    stores: Stores


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        file = tmp_path / "state.db"
        made = Engine(SqliteRecords(file, STATE), SqliteStores(file))
    else:
        from cauce.storage.postgres import PostgresRecords  # noqa: PLC0415  an extra
        from cauce.storage.postgres_stores import PostgresStores  # noqa: PLC0415  an extra

        place = request.getfixturevalue("postgres")
        live = PostgresRecords(place.url, place.schema, STATE, durable=False)
        made = Engine(live, PostgresStores(place.url, place.schema))
    yield made
    made.live.close()


def inside(records: Records) -> list[tuple[int, str]]:
    with records.read() as reader:
        return [(row[0], row[1]) for row in reader.select(membership.select())]


def shadow_of(engine: Engine, segment: str) -> None:
    made = engine.stores.begin()
    member = pa.record_batch({"profile": [1, 2], "segment": [segment] * 2, "since": [5, 6]})
    hostile = ["user_id:a\0b", 'email:"x,y"\n']
    known = pa.record_batch({"id": [1, 2], "hash": [-(2**63), 2**63 - 1], "key": hostile})
    made.fill([(identifiers, [known]), (membership, [member]), (views, [])])
    with made.read() as reader:
        assert list(reader.scan(identifiers.select().order_by(identifiers.c.id))) == [
            (1, -(2**63), hostile[0]),
            (2, 2**63 - 1, hostile[1]),
        ]
    made.close()


def test_a_swap_carries_over_and_can_be_taken_back(engine: Engine) -> None:
    with engine.live.write() as written:
        written.put(membership, [(1, "old", 1)])
        written.put(membership_change, [CHANGE])
        written.advance("membership_change", 1)
        written.advance("activate.queued_until", 7)
        written.advance("log", 3)
    shadow_of(engine, "new")
    assert inside(engine.live) == [(1, "old")]
    second = (2, *CHANGE[1:])
    engine.stores.swap(Other.SHADOW, lambda written: written.put(membership_change, [second]))
    assert inside(engine.live) == [(1, "new"), (2, "new")]
    with engine.live.read() as reader:
        assert sorted(reader.select(membership_change.select())) == [CHANGE, second]
        names = ("membership_change", "activate.queued_until", "log")
        assert [reader.progress(name) for name in names] == [1, 7, 0]
    with engine.live.write() as written:
        written.put(membership, [(3, "new", 8)])
    with engine.stores.open(Other.SHADOW) as none, engine.stores.open(Other.FORMER) as former:
        assert none is None
        assert former is not None
        assert inside(former) == [(1, "old")]
    engine.stores.swap(Other.FORMER, lambda _: None)
    assert inside(engine.live) == [(1, "old")]
    with engine.live.read() as reader:
        assert sorted(reader.select(membership_change.select())) == [CHANGE, second]
    engine.stores.swap(Other.FORMER, lambda _: None)
    assert inside(engine.live) == [(1, "new"), (2, "new"), (3, "new")]


def test_several_swaps_leave_one_former_store(engine: Engine) -> None:
    for segment in ("a", "b", "c"):
        shadow_of(engine, segment)
        engine.stores.swap(Other.SHADOW, lambda _: None)
    assert {segment for _, segment in inside(engine.live)} == {"c"}
    with engine.stores.open(Other.FORMER) as former:
        assert former is not None
        assert {segment for _, segment in inside(former)} == {"b"}
    assert engine.stores.discard(Other.FORMER)
    assert not engine.stores.discard(Other.FORMER)
    assert {segment for _, segment in inside(engine.live)} == {"c"}


def test_a_failed_swap_changes_nothing(engine: Engine) -> None:
    with engine.live.write() as written:
        written.put(membership, [(1, "old", 1)])
    with pytest.raises(NotFound):
        engine.stores.swap(Other.SHADOW, lambda _: None)
    shadow_of(engine, "new")

    def fail(_: object) -> None:
        raise RuntimeError("while swapping")

    with pytest.raises(RuntimeError):
        engine.stores.swap(Other.SHADOW, fail)
    assert inside(engine.live) == [(1, "old")]
    engine.stores.swap(Other.SHADOW, lambda _: None)
    assert inside(engine.live) == [(1, "new"), (2, "new")]


def test_a_store_that_is_not_as_expected_is_not_swapped(engine: Engine) -> None:
    with engine.live.write() as written:
        written.put(membership, [(1, "old", 1)])
        written.advance("log", 3)
    shadow_of(engine, "new")
    seen = []

    def check(reader: Reader) -> None:
        seen.append(([row[1] for row in reader.select(membership.select())], reader.progress("log")))
        if len(seen) == 1:
            raise Transient("not as expected")

    with pytest.raises(Transient):
        engine.stores.swap(Other.SHADOW, lambda _: None, check)
    assert inside(engine.live) == [(1, "old")]
    engine.stores.swap(Other.SHADOW, lambda _: None, check)
    assert inside(engine.live) == [(1, "new"), (2, "new")]
    assert seen == [(["old"], 3)] * 2
