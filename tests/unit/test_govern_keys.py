from pathlib import Path

import pytest

from cauce.govern.keys import KeyRing, KeyStore
from cauce.govern.records import CONTROL
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import Moment

T0, T1, T2 = Moment(1_000), Moment(2_000), Moment(3_000)


class Stopwatch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def control(tmp_path: Path):
    records = SqliteRecords(tmp_path / "control.db", CONTROL, synchronous="FULL")
    yield records
    records.close()


def test_a_write_key_names_its_source_and_an_api_key_its_viewer(control):
    store = KeyStore(control)
    write = store.issue_write_key("web", now=T0)
    api = store.issue_api_key("console", ["read", "write"], now=T1)
    ring = KeyRing(control, Stopwatch())
    assert ring.verify(write.secret) == "web"
    assert ring.viewer(write.secret) is None
    assert ring.verify(api.secret) is None
    assert ring.viewer(api.secret) == ("console", {"read", "write"})
    assert [key.name for key in store.list()] == ["web", "console"]


def test_no_secret_is_stored(control, tmp_path):
    issued = KeyStore(control).issue_write_key("web", now=T0)
    control.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"web" in stored
    assert issued.secret.encode() not in stored
    assert b"sha256:" in stored


def test_a_new_key_works_at_once_in_another_process(control, tmp_path):
    ring = KeyRing(control, Stopwatch())
    assert ring.verify("unknown") is None
    elsewhere = SqliteRecords(tmp_path / "control.db", CONTROL)
    issued = KeyStore(elsewhere).issue_write_key("web", now=T0)
    elsewhere.close()
    assert ring.verify(issued.secret) == "web"


def test_a_revoked_key_stops_when_its_trust_is_over(control):
    store, stopwatch = KeyStore(control), Stopwatch()
    issued = store.issue_write_key("web", now=T0)
    ring = KeyRing(control, stopwatch, trust_seconds=0.1)
    assert ring.verify(issued.secret) == "web"
    store.revoke(issued.key.id, now=T1)
    assert ring.verify(issued.secret) == "web"
    stopwatch.seconds = 0.1
    assert ring.verify(issued.secret) is None


def test_revoking_twice_keeps_the_first_moment(control):
    store = KeyStore(control)
    issued = store.issue_write_key("web", now=T0)
    store.revoke(issued.key.id, now=T1)
    assert store.revoke(issued.key.id, now=T2).revoked == T1
    assert [key.revoked for key in store.list()] == [T1]


def test_other_keys_survive_a_revocation(control):
    store, stopwatch = KeyStore(control), Stopwatch()
    first, second = (store.issue_write_key(name, now=T0) for name in ("web", "crm"))
    ring = KeyRing(control, stopwatch)
    store.revoke(first.key.id, now=T1)
    assert (ring.verify(first.secret), ring.verify(second.secret)) == (None, "crm")


@pytest.mark.parametrize("rubbish", ["", "\x00", "é" * 10_000, "\ud800"])
def test_rubbish_is_an_unknown_key(control, rubbish):
    assert KeyRing(control, Stopwatch()).verify(rubbish) is None


def test_unknown_keys_do_not_make_the_keys_be_read_again(control):
    KeyStore(control).issue_write_key("web", now=T0)
    ring = KeyRing(control, Stopwatch())
    ring.verify("unknown")
    before = ring._known
    for number in range(5):
        assert ring.verify(f"unknown {number}") is None
    assert ring._known is before


def test_randomness_is_handed_in(control):
    issued = KeyStore(control, lambda size: "r" * size).issue_write_key("web", now=T0)
    assert issued.secret == "cauce_write_" + "r" * 32
    assert KeyStore(control).list() == [issued.key]


def test_a_key_needs_a_name_and_a_known_scope(control):
    store = KeyStore(control)
    with pytest.raises(InvalidInput, match="needs a name"):
        store.issue_api_key("", ["read"], now=T0)
    with pytest.raises(InvalidInput, match="no scope admin"):
        store.issue_api_key("console", ["admin"], now=T0)
    assert store.list() == []


def test_revoking_an_unknown_key_says_where_to_look(control):
    with pytest.raises(NotFound, match="no key key_x") as refusal:
        KeyStore(control).revoke("key_x", now=T0)
    assert "cauce key list" in refusal.value.hint
