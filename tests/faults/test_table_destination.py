"""SQL tables on SQLite and PostgreSQL: what they hold, in whatever order and however often it is written."""

import time
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import MetaData, Table, create_engine, inspect, select, text

from cauce.activate import tables
from cauce.activate.delivery import Outcome, State
from cauce.activate.destinations import SqlTarget, ready
from cauce.activate.payload import Shape
from cauce.activate.secrets import Secret
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.activate.table_compare import TableCompare
from cauce.activate.tables import TableRow, TableWriter, WrongTable
from cauce.vocabulary.definitions import SqlDef
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.moment import DAY, Moment, parse_iso
from tests.faults.destination_people import People
from tests.faults.webhook_receiver import Receiver
from tests.faults.webhook_space import Space, change, destination, until
from tests.services.postgres import own_cluster

START = parse_iso("2026-03-01T12:20:00Z")
QUICK = ActivateSettings(backoff_seconds=0.05, poll_seconds=0.02, stop_seconds=0.5, pause_limit_seconds=0.2)
HOSTILE = 'crm"; DROP TABLE x; -- %(a)s :b ?'


def sql_def(**given):
    known = {"kind": "sql", "name": "wh", "owner": "o", "url": "env:U", "table": "crm", "create": True}
    return msgspec.convert(known | given, SqlDef)


@pytest.fixture(params=["sqlite", "postgresql", "any dialect"])
def url(request, tmp_path, monkeypatch):
    if request.param == "postgresql":
        place = request.getfixturevalue("postgres")
        engine = create_engine(place.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{place.schema}"'))
        engine.dispose()
        return f"{place.url}?options=-csearch_path%3D{place.schema}"
    if request.param == "any dialect":
        monkeypatch.setattr(tables, "_INSERTING", {})
    return f"sqlite:///{tmp_path}/warehouse.db"


class Warehouse:
    def __init__(self, url, **given):
        self.definition = sql_def(**given)
        self.target = SqlTarget(definition=self.definition, url=Secret(url.encode()))
        self.writer = TableWriter(self.target)
        self.engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))

    def rows(self):
        with self.engine.connect() as connection:
            table = Table(self.definition.table, MetaData(), autoload_with=connection)
            return [dict(row._mapping) for row in connection.execute(select(table))]

    def write(self, person, sequence, member=True, segment="buyers", **more):
        values = {"profile_id": person, "segment": segment, "member": member, "sequence": sequence}
        self.writer.write([TableRow(values | {"at": "2026-03-01T00:00:00Z"} | more, member)])

    def close(self):
        self.writer.close()
        self.engine.dispose()


@pytest.fixture
def make(url):
    made = []

    def warehouse(**given):
        made.append(Warehouse(url, **given))
        return made[-1]

    yield warehouse
    for one in made:
        one.close()


def test_an_older_change_never_overwrites_a_newer_one_and_a_repeat_changes_nothing(make):
    wh = make()
    wh.write("ann", 10, user_id="u1", email="a@example.org")
    wh.write("ann", 12, member=False, email="b@example.org")
    for sequence in (10, 11, 12):
        wh.write("ann", sequence, email="late@example.org")
    wh.write("ann", 5, segment="vips")
    rows = {(row["profile_id"], row["segment"]): row for row in wh.rows()}
    assert rows["ann", "buyers"]["sequence"] == 12 and not rows["ann", "buyers"]["member"]
    assert rows["ann", "buyers"]["email"] == "b@example.org"
    assert rows["ann", "vips"]["member"] and len(rows) == 2


def test_a_mirror_holds_who_is_in_and_an_older_leaving_takes_nobody_out(make):
    wh = make(mode="mirror")
    wh.write("ann", 10)
    wh.write("bob", 10)
    wh.write("ann", 11, member=False)
    wh.write("ann", 11, member=False)
    wh.write("bob", 9, member=False)
    assert [(row["profile_id"], row["sequence"]) for row in wh.rows()] == [("bob", 10)]
    assert "member" not in wh.rows()[0]


def test_names_reach_the_database_to_the_letter_and_values_with_their_types(make):
    fields = [
        {"value": "profile_id", "name": 'who "are" you'},
        {"value": "trait.spent", "name": "total; --", "type": "number"},
        {"value": "trait.x", "name": "a:b%s(c)"},
        {"value": "trait.seen", "name": "?", "type": "time"},
    ]
    wh = make(table=HOSTILE, fields=fields)
    values = {'who "are" you': "p1", "total; --": Decimal("0.1"), "a:b%s(c)": "x\x00y", "?": "2026-03-01"}
    for sequence in (1, 2):
        wh.write("", sequence, **values)
    assert inspect(wh.engine).get_table_names() == [HOSTILE]
    (row,) = wh.rows()
    assert row['who "are" you'] == "p1" and row["a:b%s(c)"] == "x\ufffdy"
    assert Decimal(str(row["total; --"])) == Decimal("0.1") and row["sequence"] == 2
    assert "profile_id" not in row


def test_a_table_that_does_not_fit_is_refused_with_what_is_missing(make):
    wh = make(create=False)
    with pytest.raises(WrongTable, match="no such table"):
        wh.write("ann", 1)
    with wh.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE crm (profile_id VARCHAR(99), segment VARCHAR(99), sequence BIGINT)")
        )
    with pytest.raises(WrongTable, match="lacks the columns member, at, user_id, email"):
        wh.write("ann", 1)
    with wh.engine.begin() as connection:
        for column in ("member BOOLEAN", "at TIMESTAMP", "user_id TEXT", "email TEXT"):
            connection.execute(text(f"ALTER TABLE crm ADD COLUMN {column}"))
    with pytest.raises(WrongTable, match="primary key of exactly profile_id and segment"):
        wh.write("ann", 1)
    with wh.engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX k ON crm (segment, profile_id)"))
    wh.write("ann", 1)
    assert len(wh.rows()) == 1


def test_a_comparison_makes_the_table_equal_to_who_is_in(make, tmp_path):
    wh = make(mode="mirror", fields=("identifier.email", "trait.plan"))
    space, people, now = Space(tmp_path), People(), [START]
    for number in range(1, 8):
        people.put(number, START + number, plan="gold")
    compare = TableCompare(space.records, wh.target, wh.writer, ["buyers", "vips"], people, lambda: now[0])
    assert compare.due(now[0])
    compare.do(lambda: None)
    assert not compare.due(now[0])
    assert {(row["profile_id"], row["plan"]) for row in wh.rows()} == {(f"p{n}", "gold") for n in range(1, 8)}
    wh.write("stranger", START + DAY)
    wh.write("p2", START + DAY, plan="newer")
    people.take(1)
    people.put(3, START, plan="silver")
    people.put(9, START, "vips")
    now[0] = Moment(START + DAY)
    assert compare.due(now[0])
    compare.do(lambda: None)
    rows = {(row["profile_id"], row["segment"]): row for row in wh.rows()}
    assert set(rows) == {*((f"p{n}", "buyers") for n in range(2, 8)), ("p9", "vips")}
    assert rows["p3", "buyers"]["plan"] == "silver" and rows["p2", "buyers"]["plan"] == "gold"
    assert rows["p2", "buyers"]["sequence"] == START + DAY
    space.records.close()


def owing(folder, definition, names=("wh",)):
    space = Space(folder, names)
    space.activation = Activation({"buyers": names}, {"wh": Shape.of(definition)})
    return space


def test_queued_changes_arrive_in_order_for_each_person_with_receipts(make, tmp_path):
    wh = make(batch=3)
    space = owing(tmp_path, wh.definition)
    for number in range(1, 11):
        space.queue(change(number, person=f"p{number % 4}", entered=number % 3 != 0))
    space.deliver(wh.target, settings=QUICK)
    assert space.states() == {State.DELIVERED}
    assert {row["profile_id"]: bool(row["member"]) for row in wh.rows()} == {
        "p0": True,
        "p1": False,
        "p2": True,
        "p3": True,
    }
    assert len(space.receipts()) == 10 and {one.outcome for one in space.receipts()} == {Outcome.DELIVERED}
    space.records.close()


def test_a_row_that_the_database_refuses_is_a_dead_letter_and_the_others_arrive(make, tmp_path):
    wh = make(create=False)
    with wh.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE crm (profile_id VARCHAR(99), segment VARCHAR(99), sequence BIGINT, "
                "member BOOLEAN, at TIMESTAMP, user_id TEXT, email TEXT CHECK (email <> 'p2@example.org'), "
                "PRIMARY KEY (profile_id, segment))"
            )
        )
    space = owing(tmp_path, wh.definition)
    space.queue(*[change(number) for number in range(1, 6)])
    space.deliver(wh.target, settings=QUICK)
    assert {row["profile_id"] for row in wh.rows()} == {"p1", "p3", "p4", "p5"}
    (dead,) = [one for one in space.all() if one.state is State.DEAD]
    assert dead.profile_id == "p2" and "refused the row" in dead.error and "example.org" not in dead.error
    space.records.close()


def test_a_server_that_is_gone_is_tried_again_and_delays_no_other(tmp_path):
    with own_cluster() as cluster, Receiver() as receiver:
        wh = Warehouse(cluster.url, timeout=2)
        space = owing(tmp_path, wh.definition, ("wh", "crm"))
        cluster.stop(crash=True)
        space.queue(*[change(number) for number in range(1, 30)])
        with space.delivering(wh.target, destination(receiver.url()), settings=QUICK):
            until(lambda: len(receiver.requests) == 29)
            until(lambda: any(one.destination == "wh" and one.error for one in space.all()))
            errors = {one.error for one in space.all() if one.destination == "wh" and one.error}
            assert errors and all(
                error.startswith("the database failed (OperationalError") for error in errors
            )
            cluster.start()
            until(space.settled, 30)
        assert space.states() == {State.DELIVERED} and len(wh.rows()) == 29
        wh.close()
        space.records.close()


def test_a_server_that_never_answers_delays_no_other_and_keeps_nobody_from_stopping(tmp_path):
    def silent(handler):
        handler.receiver.closing.wait()

    with Receiver(lambda _: silent) as hung, Receiver() as receiver:
        wh = Warehouse(f"postgresql://u:hunter2@127.0.0.1:{hung.port}/db", timeout=30)
        space = owing(tmp_path, wh.definition, ("wh", "crm"))
        space.queue(*[change(number) for number in range(1, 30)])
        with space.delivering(wh.target, destination(receiver.url()), settings=QUICK):
            until(lambda: len(receiver.requests) == 29)
            until(lambda: {one.state for one in space.all() if one.destination == "crm"} == {State.DELIVERED})
            asked = time.monotonic()
        assert time.monotonic() - asked < 10
        assert {one.state for one in space.all() if one.destination == "wh"} == {State.UNKNOWN}
        assert not any("hunter2" in one.error for one in space.receipts())
        space.records.close()


@pytest.mark.parametrize("url", ["", "nonsense", "nosuchdb://u:hunter2@x/y"])
def test_a_url_of_no_database_is_an_error_without_the_password(tmp_path, url):
    with pytest.raises(BadSettings) as raised:
        (target,) = ready([sql_def()], environment={"U": url}, folder=tmp_path)
        with TableWriter(target).transaction():
            pass
    assert "hunter2" not in str(raised.value) and raised.value.hint
