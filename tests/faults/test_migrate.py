"""A space moves to PostgreSQL and back: table by table the same, and it goes on where it was."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from cauce.app.compose import Composition
from cauce.app.migrate.moving import _place, copy_to_files, migrate
from cauce.app.migrate.rows import tables
from cauce.app.migrate.sqlite_side import SqlitePlace
from cauce.app.pipeline import LOG
from cauce.app.worker import Worker
from cauce.eventlog.moved import MARKS, MOVED, MOVING
from cauce.eventlog.port import EventLog
from cauce.eventlog.seal import seal
from cauce.storage.settings import StoreSettings
from cauce.vocabulary.errors import CauceError, Conflict
from cauce.vocabulary.event import Accepted, Call, Position, Refused
from cauce.vocabulary.moment import Moment, now
from demo.load import batches
from tests.services.postgres import Place
from tests.story.command import CAUCE, cauce, environment, succeed

SEGMENTS = """
- {key: fresh, owner: test, anonymous: true, destinations: [crm],
   rule: "event('Page Viewed').within(1 hours).count() >= 1"}
- {key: known, owner: test, destinations: [crm], rule: "trait('email').exists()"}
"""
DESTINATION = """
name: crm
owner: test
kind: webhook
url: https://crm.example.org/
secret: env:CRM
"""
FREE_PORTS = {"CAUCE_COLLECTOR__PORT": "0", "CAUCE_API__PORT": "0"}
ODD = "\ue000 \ue001 ñ 人"
"""With the characters that PostgreSQL's records are escaped with."""


def at(root: Path, store: StoreSettings | None = None) -> Composition:
    """The space as it is kept at a place."""
    composition = Composition(root)
    if store is not None:
        loaded = composition.loaded
        composition.__dict__["loaded"] = loaded._replace(settings=replace(loaded.settings, store=store))
    return composition


@contextmanager
def opened(root: Path, store: StoreSettings | None = None) -> Iterator[Composition]:
    """The same, its stores closed afterwards."""
    composition = at(root, store)
    yield composition
    for name in ("log", "state", "control"):
        if name in composition.__dict__:
            composition.__dict__[name].close()


def accepted(message_id: str, body: dict[str, Any]) -> Accepted:
    return Accepted(
        message_id=message_id,
        time=now(),
        call=Call(body["type"]),
        name=body.get("event", ""),
        source="web",
        body=msgspec.json.encode(body),
    )


def fold(composition: Composition) -> None:
    """Fold all there is."""
    worker = Worker(composition.pipeline, composition.log, composition.normalization, now)
    while worker.step():
        pass


def rows(composition: Composition) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    found = {}
    with _place(composition, composition.settings.store).held() as held:
        for store in ("log", "control", "state"):
            for table in tables(store):
                lots = [row for lot in held.rows(store, table) for row in lot]
                if table.name == "fixed":
                    lots = [row for row in lots if row[0] not in MARKS]
                found[f"{store}.{table.name}"] = sorted(lots, key=repr)
    return found


def move(composition: Composition, to: StoreSettings, **how: Any) -> Any:
    how = {"discard": False, "told": lambda _: None, **how}
    return migrate(composition, to, clock=now, rng=Random(), **how)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A space with history: people, segments, deliveries, sealed files, quarantine."""
    root = tmp_path / "space"
    succeed("init", root, "--json")
    (root / "definitions/segments/moving.yaml").write_text(SEGMENTS)
    (root / "definitions/destinations/crm.yaml").write_text(DESTINATION)
    composition = at(root)
    log = composition.log
    for body in islice(batches(size=50, people=60, seed=3, until=now(), days=1, repeats=0.02), 24):
        sent = msgspec.json.decode(body)["batch"]
        log.append([accepted(one["messageId"], one) for one in sent], [], now=now())
    log.append(
        [
            accepted(
                "odd", {"type": "identify", "userId": ODD, "traits": {"email": "odd@x.example", "n": ODD}}
            )
        ],
        [Refused(reason="broken", detail="It is no event.", source="web", body=b"\x00\xff rubbish")],
        now=now(),
    )
    fold(composition)
    seal(root, Position(700), composition.normalization, opener=composition.sealable)
    log.tick(now())
    log.close()
    return root


@pytest.fixture
def store(postgres: Place) -> StoreSettings:
    return StoreSettings(url=postgres.url, schema=postgres.schema)


def test_a_space_moves_there_and_back_and_goes_on(space: Path, store: StoreSettings) -> None:
    before = rows(at(space))
    assert len(before["state.identity_profile"]) > 20
    assert len(before["state.delivery"]) > 20
    assert len(before["log.sealed"]) == 1
    found = move(at(space), store)
    assert {name: one.rows for name, one in found.items()} == {
        name: len(each) for name, each in before.items()
    }
    assert rows(at(space, store)) == before

    event = accepted("after", {"type": "identify", "userId": "new-one", "traits": {"email": "n@x.example"}})
    with opened(space, store) as moved:
        known = moved.log.read(Position(1), 1)[0]
        again = accepted(known.message_id, msgspec.json.decode(known.body))
        outcomes = moved.log.append([event, again], [], now=now())
        assert [one.value for one in outcomes] == ["accepted", "duplicate"]
        fold(moved)
    deliveries = rows(at(space, store))["state.delivery"]
    told = {row[0] for row in deliveries} - {row[0] for row in before["state.delivery"]}
    assert len(deliveries) == len(before["state.delivery"]) + len(told)
    assert 1 <= len(told) <= 2  # the new one is known; nothing else is told again

    after = rows(at(space, store))
    with pytest.raises(Conflict, match="what a move left") as caught:
        move(at(space, store), StoreSettings())
    assert caught.value.code == "place_taken"
    move(at(space, store), StoreSettings(), discard=True)
    assert rows(at(space)) == after
    with opened(space) as back:
        event = accepted(
            "last", {"type": "identify", "userId": "last-one", "traits": {"email": "l@x.example"}}
        )
        refused = Refused(reason="broken", detail="", source="web", body=b"")
        assert back.log.append([event], [refused], now=now())[0].value == "accepted"
        fold(back)
        assert [one.number for one in back.log.quarantined()] == [1, 2]
        with back.state.read() as reader:
            assert reader.progress(LOG) == back.log.head()
    assert len(rows(at(space))["state.delivery"]) == len(deliveries) + len(told)


def test_nobody_uses_the_place_that_was_left(space: Path, store: StoreSettings) -> None:
    left = at(space)
    log = left.log
    log.head()
    state = left.state
    move(at(space), store)
    with pytest.raises(CauceError):
        log.append([accepted("late", {"type": "track", "event": "e", "userId": "u"})], [], now=now())
    log.close()
    state.close()
    served = cauce("serve", "--space", space, CRM="secret", **FREE_PORTS)
    assert served.code == 4
    assert "moved away from SQLite files" in served.err
    assert "moved away" in cauce("key", "list", "--space", space).err
    assert "moved away" in cauce("migrate", "--to", store.url, "--schema", "x", "--space", space).err
    moved: EventLog = at(space, store).log
    moved.head()
    move(at(space, store), StoreSettings(), discard=True)
    with pytest.raises(CauceError):
        moved.append([accepted("late", {"type": "track", "event": "e", "userId": "u"})], [], now=now())
    moved.close()
    with (
        closing(at(space, store).log) as reopened,
        pytest.raises(Conflict, match="moved away from the schema"),
    ):
        reopened.head()


@pytest.mark.parametrize("back", [False, True], ids=["to PostgreSQL", "to SQLite"])
def test_a_move_that_is_killed_leaves_the_space_whole(space: Path, store: StoreSettings, back: bool) -> None:
    here, there = (store, StoreSettings()) if back else (StoreSettings(), store)
    if back:
        move(at(space), store)
    before = rows(at(space, here))
    for _ in range(4):
        kill_while_moving(space, here, there, Random().uniform(0.35, 1.6))
        marks = _place(at(space), here).marks()
        if MOVED in marks:
            break
        if MOVING not in marks:  # else it was killed at the very end, and must be asked again
            assert rows(at(space, here)) == before
    else:
        move(at(space, here), there, discard=True)
    assert rows(at(space, there)) == before
    with pytest.raises(Conflict), closing(at(space, here).log) as log:
        log.head()


def kill_while_moving(space: Path, here: StoreSettings, there: StoreSettings, seconds: float) -> None:
    """Move by the command, and kill it after so long unless it was faster."""
    variables = {"CAUCE_STORE__URL": here.url, "CAUCE_STORE__SCHEMA": here.schema}
    to = ["--to", there.url, "--schema", there.schema] if there.url else ["--to", "sqlite"]
    process = subprocess.Popen(
        [CAUCE, "migrate", *to, "--replace", "--space", str(space)],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


class Cut(Exception):
    """A move is cut short here."""


def cut(*_: object) -> None:
    raise Cut


@pytest.mark.parametrize("step", ["before the target", "between the files", "before the last mark"])
def test_a_move_cut_at_its_end_is_ended_by_the_same_command(
    space: Path, store: StoreSettings, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill can leave between marking the source and marking it for good."""
    move(at(space), store)
    before = rows(at(space, store))
    with monkeypatch.context() as patched, pytest.raises(Cut):
        if step == "before the target":
            patched.setattr(SqlitePlace, "finish", cut)
            patched.setattr("cauce.app.migrate.sqlite_side.sync_folder", cut)
        elif step == "between the files":
            patched.setattr("cauce.app.migrate.sqlite_side.shutil.rmtree", _cut_second())
        else:
            patched.setattr("cauce.app.migrate.postgres_side.PostgresPlace.mark_moved", cut)
        move(at(space, store), StoreSettings(), discard=True)
    with pytest.raises(Conflict, match="cut short at its end"), closing(at(space, store).log) as log:
        log.head()
    move(at(space, store), StoreSettings(), discard=True)
    assert rows(at(space)) == before
    with pytest.raises(Conflict, match="moved away"), closing(at(space, store).log) as log:
        log.head()


def _cut_second() -> Any:
    calls: Iterator[int] = iter(range(100))

    def rmtree(*_: object, **__: object) -> None:
        if next(calls) == 2:
            raise Cut

    return rmtree


def test_a_space_that_is_served_or_not_free_is_refused(space: Path, store: StoreSettings) -> None:
    with pytest.raises(CauceError, match="in SQLite files already"):
        move(at(space), StoreSettings())
    other = space.parent / "other"
    succeed("init", other, CAUCE_STORE__URL=store.url, CAUCE_STORE__SCHEMA=store.schema)
    with pytest.raises(Conflict, match="a space in the schema"):
        move(at(space), store, discard=True)
    assert len(rows(at(space))["log.event"]) > 100


def test_a_copy_in_files_leaves_the_space_where_it_is(space: Path, store: StoreSettings) -> None:
    move(at(space), store)
    folder = space.parent / "copy"
    folder.mkdir()
    with opened(space, store) as composition:
        found = copy_to_files(composition, folder, lambda _: None)
        assert found["state.fragment"].rows > 20
        assert composition.log.append([accepted("x", {"type": "track", "event": "e"})], [], now=Moment(0))
    assert {path.name for path in folder.iterdir()} == {"log.db", "state.db", "control.db"}
