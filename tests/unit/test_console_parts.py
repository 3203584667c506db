"""Sessions of the console, and its charts as they are handed to a page."""

import secrets
from itertools import pairwise

import pytest

from cauce.app.console.graph import graph_options
from cauce.app.console.language import Words
from cauce.app.console.sessions import HOURS, Sessions, SignedOut
from cauce.app.console.waterfall import waterfall_options
from cauce.govern.keys import KeyRing, KeyStore
from cauce.govern.records import CONTROL
from cauce.identity.why_graph import Drawn, DrawnLink, Picture, Standing
from cauce.identity.why_words import Reason, Said
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment

NOW = Moment(1_700_000_000_000_000)


def test_a_session_lasts_as_long_as_its_key_and_its_hours(tmp_path) -> None:
    control = SqliteRecords(tmp_path / "control.db", CONTROL, synchronous="FULL")
    store = KeyStore(control, secrets.token_urlsafe)
    read = store.issue_api_key("ann", ["read"], now=NOW)
    write = store.issue_write_key("web", now=NOW)
    at = [0.0]
    sessions = Sessions(KeyRing(control, lambda: at[0]), lambda: at[0])
    assert sessions.begin("nothing", "support") is sessions.begin(write.secret, "support") is None
    one, other = (sessions.begin(read.secret, "support") or "" for _ in range(2))
    assert one != other and read.secret not in one
    assert (sessions.find(one).viewer.name, sessions.find(one).purpose) == ("ann", "support")
    sessions.end(one)
    for gone in (one, "", "guessed"):
        with pytest.raises(SignedOut):
            sessions.find(gone)
    at[0] += HOURS * 3_600 - 1
    assert sessions.find(other)
    at[0] += 1
    with pytest.raises(SignedOut):
        sessions.find(other)
    again = sessions.begin(read.secret, "support") or ""
    store.revoke(read.key.id, now=NOW)
    at[0] += 1
    with pytest.raises(SignedOut):
        sessions.find(again)


def test_the_bars_of_a_waterfall_stand_end_to_end() -> None:
    steps = [("prior", "", -3.0), ("name", "equal", 5.0), ("place", "missing", 0.0), ("relatives", "", -0.5)]
    options = waterfall_options(Words("en"), steps, 1.5)
    assert options["yAxis"]["data"] == [
        "before any comparison",
        "name: equal",
        "place: missing",
        "they may be relatives",
        "Weight",
    ]
    series = {one["name"]: one["data"] for one in options["series"]}
    spans = [
        (
            gap_up + gap_down + min(0.0, down["value"]),
            gap_up + gap_down + max(0.0, up["value"]),
        )
        for gap_up, up, gap_down, down in zip(
            *(series[n] for n in ("gap+", "bar+", "gap-", "bar-")), strict=True
        )
    ]
    assert spans == [(-3.0, 0.0), (-3.0, 2.0), (2.0, 2.0), (1.5, 2.0), (0.0, 1.5)]
    assert all(max(one) >= min(two) and max(two) >= min(one) for one, two in pairwise(spans[:-1]))


def test_rejected_links_are_dashed_and_hints_are_no_templates() -> None:
    ends = [Identifier("user_id", "{a|b}<script>"), Identifier("email", "a@x.example")]
    drawn = [
        Drawn(ends[0], Standing.ANCHOR, "p_1", NOW),
        Drawn(ends[1], Standing.OTHER, "p_2", NOW),
    ]
    said = Said(Reason.LIMIT, {"count": 2, "type": "user_id", "limit": 1})
    links = [
        DrawnLink(str(ends[0]), str(ends[1]), held, held, None if held else said, [])
        for held in (True, False)
    ]
    options = graph_options(Words("es"), Picture("p_1", drawn, links, 0))
    assert options["tooltip"]["renderMode"] == "richText"
    [series] = options["series"]
    assert [one["lineStyle"]["type"] for one in series["links"]] == ["solid", "dashed"]
    hint = series["links"][1]["tooltip"]["formatter"]
    assert hint.endswith("el perfil tendría 2 valores de user_id, y el límite es 1")
    assert "{" not in hint and "(a|b)<script>" in hint
    assert [one["id"] for one in series["data"]] == [str(one) for one in ends]
    assert series["data"][1]["category"] == 3
