"""The feed of moves gives the people in force, also over swaps by which other rules made other people."""

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cauce.app.compose import Composition
from cauce.app.pipeline import LOG
from cauce.app.plan.identity import swap_if_needed
from cauce.app.rebuild import shadow
from cauce.identity.records import moves
from cauce.identity.rules import default_rules
from cauce.vocabulary.moment import DAY, Moment
from tests.property.feed_of_moves import partition, replayed
from tests.property.small_company import LINES, START, Line
from tests.property.small_space import applied, closed, defined, folded, log_lines, space


def _changed(type_: str, **fields: Any) -> dict[str, Any]:
    rules = deepcopy(default_rules())
    for one in rules["identifiers"]:
        if one["type"] == type_:
            one.update(fields)
    return rules


def _without(type_: str) -> dict[str, Any]:
    rules = deepcopy(default_rules())
    rules["identifiers"] = [one for one in rules["identifiers"] if one["type"] != type_]
    return rules


VARIANTS = {
    "as it comes": default_rules(),
    "several users": _changed("user_id", limit=3),
    "no devices": _without("anonymous_id"),
    "users by digits": _changed("user_id", normalize="phone"),
    "devices by digits": _changed("anonymous_id", normalize="phone"),
}
ANN = Line(1, 0, "web", {"type": "identify", "userId": "u1", "traits": {"email": "a@x.example"}})
BOB = Line(1, 0, "web", {"type": "identify", "userId": "u2", "traits": {"email": "a@x.example"}})
NAMED = Line(1, 0, "web", {"type": "page", "name": "Home", "userId": "u1", "anonymousId": "d1"})
DEVICE = Line(1, 0, "web", {"type": "page", "name": "Home", "anonymousId": "d1"})


def complete(composition: Composition) -> dict[int, int]:
    """The people in force, which the feed gives too."""
    with composition.state.read() as reader:
        found = partition(reader)
        assert replayed(reader) == found
    return found


@example(
    batches=[[ANN, BOB, NAMED], [DEVICE], [ANN]],
    chosen=["as it comes", "several users", "no devices"],
)
@example(
    batches=[[ANN, BOB, NAMED], [DEVICE], [NAMED]],
    chosen=["users by digits", "as it comes", "devices by digits"],
)
@settings(max_examples=max(6, settings.default.max_examples // 12))
@given(
    batches=st.lists(LINES, min_size=3, max_size=3),
    chosen=st.lists(st.sampled_from(sorted(VARIANTS)), min_size=3, max_size=3),
)
def test_the_feed_gives_the_people_in_force(batches: list[list[Line]], chosen: list[str]) -> None:
    with TemporaryDirectory() as name:
        composition = space(Path(name))
        for number, (lines, variant) in enumerate(zip(batches, chosen, strict=True)):
            at = Moment(START + number * 100 * DAY)
            composition = applied(composition, defined(VARIANTS[variant]), at)
            before = complete(composition)
            swapped = swap_if_needed(composition)
            composition = composition.renewed()
            after = complete(composition)
            if swapped is None:
                assert after == before
            composition = folded(composition, log_lines(composition, lines, number))
            complete(composition)
        closed(composition)


def test_a_swap_tells_what_it_moves_at_its_position(tmp_path: Path) -> None:
    composition = space(tmp_path)
    at = log_lines(composition, [ANN, BOB, NAMED])
    composition = folded(applied(composition, defined(VARIANTS["as it comes"]), at), at)
    before = complete(composition)
    with composition.state.read() as reader:
        known = len(reader.select(select(moves)))
        position = reader.progress(LOG)
    composition = applied(composition, defined(VARIANTS["several users"]), at)
    assert swap_if_needed(composition) is not None
    composition = composition.renewed()
    after = complete(composition)
    with composition.state.read() as reader:
        rows = reader.select(select(moves).where(moves.c.seq > known))
    expected = {(one, before[one], after[one], position) for one in after if before[one] != after[one]}
    assert {(row[2], row[3], row[4], row[5]) for row in rows} == expected
    assert len(rows) == len(expected) > 0
    shadow(composition).swap()  # which moves nobody
    with composition.state.read() as reader:
        assert len(reader.select(select(moves))) == known + len(rows)
    closed(composition)
