"""The door to identity: finding and describing people, public ids, moves, reasons, and restarts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cauce.identity import default_rules, read_rules, records
from cauce.identity.naming import Names, hash_of
from cauce.identity.service import Identity, Link, Resolution
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier, parse_identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class Space:
    """A state store and an identity view on it."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.records = SqliteRecords(folder / "state.db", STATE)
        self.identity = Identity("person", read_rules({**default_rules(), **rules}))
        self.position = 0

    def see(self, *texts: str, time: int | None = None, source: str = "web") -> Resolution:
        """One event, in a transaction of its own."""
        self.position += 1
        ids = tuple(one for text in texts if (one := parse_identifier(text)) is not None)
        with self.records.write() as transaction:
            session = self.identity.begin(transaction, [ids])
            moment = Moment(self.position if time is None else time)
            found = session.observe(ids, time=moment, source=source, position=Position(self.position))
            session.save()
        return found

    def who(self, text: str) -> list[str]:
        """The identifiers of whoever has an identifier, strongest first."""
        key = self.key(text)
        with self.records.read() as reader:
            return [str(one) for one in self.identity.describe(reader, [key])[key].identifiers]

    def key(self, text: str) -> ProfileKey:
        identifier = parse_identifier(text)
        assert identifier is not None
        with self.records.read() as reader:
            found = self.identity.find(reader, identifier)
        assert found is not None
        return found

    def public_id(self, text: str) -> str:
        key = self.key(text)
        with self.records.read() as reader:
            return self.identity.describe(reader, [key])[key].profile_id

    def links(self, text: str) -> list[Link]:
        key = self.key(text)
        with self.records.read() as reader:
            return self.identity.links(reader, key)

    def rows(self, table: Any) -> list[tuple[Any, ...]]:
        with self.records.read() as reader:
            return reader.select(select(table))


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Space]:
    made = Space(tmp_path)
    yield made
    made.records.close()


def test_an_event_without_identifiers_belongs_to_nobody(space: Space) -> None:
    assert space.see() == Resolution(None, None, (), ())
    assert space.rows(records.signatures) == []


def test_an_event_with_junk_only_has_a_signature_and_no_profile(space: Space) -> None:
    found = space.see("user_id:null", "group:g1")
    assert (found.signature, found.profile, found.changed) == (1, None, ())
    with space.records.read() as reader:
        assert space.identity.find(reader, Identifier("user_id", "null")) is None


def test_anonymous_to_known_changes_the_profile_once(space: Space) -> None:
    anonymous = space.see("anonymous_id:a")
    assert anonymous.changed == (anonymous.profile,)
    known = space.see("user_id:u", "anonymous_id:a")
    assert known.gone == (anonymous.profile,)
    assert known.changed == (known.profile,)
    again = space.see("user_id:u", "anonymous_id:a")
    assert again == known._replace(gone=(), changed=())
    assert space.who("anonymous_id:a") == ["user_id:u", "anonymous_id:a"]


def test_every_id_given_out_leads_to_the_present_profile(space: Space) -> None:
    space.see("anonymous_id:a")
    first = space.public_id("anonymous_id:a")
    space.see("user_id:u", "anonymous_id:a")
    second = space.public_id("anonymous_id:a")
    space.see("user_id:v", "anonymous_id:a")
    third = space.public_id("anonymous_id:a")
    assert len({first, second, third}) == 3
    with space.records.read() as reader:
        assert space.identity.resolve_id(reader, first) == space.key("user_id:v")
        assert space.identity.resolve_id(reader, second) == space.key("user_id:u")
        assert space.identity.resolve_id(reader, third) == space.key("user_id:v")
        for unknown in ("", "p_", "p_zz", "p_" + "0" * 20, first[:-1], "p_-" + "1" * 19):
            assert space.identity.resolve_id(reader, unknown) is None


def test_a_public_id_is_a_hash_of_view_and_anchor() -> None:
    one, other = Names("person"), Names("household")
    assert one.profile_id("user_id:u") == Names("person").profile_id("user_id:u")
    assert one.profile_id("user_id:u") != other.profile_id("user_id:u")
    for key in ("user_id:u", "email:ann@x.example", "anonymous_id:é", "a:b"):
        assert other.anchor_hash(other.profile_id(key)) == hash_of(key)


def test_a_device_that_moves_takes_its_own_events_along(space: Space) -> None:
    space.see("anonymous_id:tablet")
    space.see("user_id:u", "anonymous_id:tablet")
    moved = space.see("user_id:v", "anonymous_id:tablet")
    assert set(moved.changed) == {space.key("user_id:u"), space.key("user_id:v")}
    assert moved.gone == ()
    with space.records.read() as reader:
        described = space.identity.describe(reader, list(moved.changed))
    assert described[space.key("user_id:u")].signatures == [2]
    assert described[space.key("user_id:v")].signatures == [1, 3]


def test_an_earlier_sighting_names_the_profile_anew(space: Space) -> None:
    space.see("anonymous_id:b", "ios.id:x", time=100)
    space.see("anonymous_id:b", "ios.id:y", time=200)
    before = space.key("anonymous_id:b")
    late = space.see("ios.id:y", time=50)
    assert late.gone == (before,)
    assert late.changed == (late.profile,)
    assert space.who("ios.id:x") == ["ios.id:y", "ios.id:x", "anonymous_id:b"]


def test_moves_tell_the_whole_history(space: Space) -> None:
    space.see("anonymous_id:a")
    space.see("user_id:u", "anonymous_id:a")
    space.see("user_id:v", "anonymous_id:a")
    a, u, v = 1, 2, 3
    assert [row[2:] for row in space.rows(records.moves)] == [
        (a, None, a, 1),
        (a, a, u, 2),
        (u, None, u, 2),
        (a, u, v, 3),
        (v, None, v, 3),
    ]


def test_links_say_which_are_held_and_why_others_are_not(space: Space) -> None:
    space.see("user_id:u", "anonymous_id:a", time=10)
    space.see("user_id:u", "anonymous_id:a", time=5, source="crm")
    space.see("user_id:v", "anonymous_id:a", time=20)
    space.see("user_id:u", "user_id:w", "email:e@x.example", time=30)
    held, rejected = space.links("user_id:v")
    assert (str(held.stronger), str(held.weaker), held.held, held.reason) == (
        "user_id:v",
        "anonymous_id:a",
        True,
        "",
    )
    assert not rejected.held
    assert rejected.reason == "the profile would have 2 values of user_id, and the limit is 1"
    assert (rejected.sources, rejected.events) == (("crm", "web"), 2)
    assert (rejected.first_time, rejected.last_time) == (5, 10)
    contradicting = [link for link in space.links("user_id:u") if str(link.weaker) != "anonymous_id:a"]
    assert len(contradicting) == 2
    assert all("contradict themselves" in link.reason for link in contradicting)


def test_a_shared_value_joins_nobody_and_its_rows_stop_growing(tmp_path: Path) -> None:
    space = Space(
        tmp_path, identifiers=[{"type": "user_id", "limit": 1}, {"type": "device", "max_owners": 3}]
    )
    for number in range(3):
        space.see(f"user_id:u{number}", "device:junk")
    assert space.who("device:junk") == ["user_id:u2", "device:junk"]
    crossing = space.see("user_id:u3", "device:junk")
    assert set(crossing.changed) == {
        space.key("user_id:u2"),
        space.key("user_id:u3"),
        space.key("device:junk"),
    }
    assert space.who("device:junk") == ["device:junk"]
    row = next(row for row in space.rows(records.members) if row[1] == 1)
    for number in range(4, 10):
        space.see(f"user_id:u{number}", "device:junk")
    assert row in space.rows(records.members)
    (link,) = space.links("user_id:u9")
    assert link.reason == "the device is shared: it was seen with more than 3 values of a stronger type"
    space.records.close()


def test_a_session_answers_for_profiles_that_are_gone(space: Space) -> None:
    gone = space.see("anonymous_id:a").profile
    assert gone is not None
    name = space.public_id("anonymous_id:a")
    ids = (Identifier("user_id", "u"), Identifier("anonymous_id", "a"))
    with space.records.write() as transaction:
        session = space.identity.begin(transaction, [ids], [gone])
        assert session.loaded_profiles() == [gone]
        assert session.loaded_signatures() == [1]
        session.observe(ids, time=Moment(9), source="web", position=Position(9))
        assert (session.signatures(gone), session.identifiers(gone)) == ([], ())
        assert session.identifier_types(gone) == frozenset()
        assert session.profile_id(gone) == name
        session.save()


def test_a_transaction_that_fails_leaves_nothing_behind(space: Space) -> None:
    space.see("user_id:u")
    before = {table: space.rows(STATE.tables[table]) for table in STATE.tables if table.startswith("ident")}
    ids = (Identifier("user_id", "u"), Identifier("anonymous_id", "a"))
    with pytest.raises(ZeroDivisionError), space.records.write() as transaction:
        session = space.identity.begin(transaction, [ids])
        session.observe(ids, time=Moment(1), source="web", position=Position(2))
        session.save()
        raise ZeroDivisionError
    assert before == {table: space.rows(STATE.tables[table]) for table in before}
    assert space.see("user_id:u", "anonymous_id:a").signature == 2


@pytest.mark.parametrize("value", ["a\0b", "\U0001f600", "x" * 3_000, "a:b:c", "'; --", "%_"])
def test_values_are_kept_to_the_letter(space: Space, value: str) -> None:
    space.see(f"user_id:{value}", "anonymous_id:a")
    assert space.who("anonymous_id:a") == [f"user_id:{value}", "anonymous_id:a"]
    assert space.see(f"user_id:{value}", "anonymous_id:a").signature == 1


def test_other_rules_do_not_read_these_profiles(space: Space) -> None:
    space.see("user_id:u")
    other = Identity("person", read_rules({**default_rules(), "max_ids_per_event": 5}))
    with pytest.raises(Conflict, match="person"), space.records.write() as transaction:
        other.begin(transaction, [])
