"""Which values of people who would become one contradict each other, and what they mean."""

from pathlib import Path
from typing import Any

import pytest

from cauce.app.plan.identity_model import Contradiction, Merge
from cauce.app.plan.identity_values import MEANINGS
from cauce.app.plan.planning import make_plan
from cauce.identity.rules import default_rules
from cauce.vocabulary.access import OPERATIONS, Purpose, Viewer
from cauce.vocabulary.errors import NotAllowed
from tests.property.small_company import Line
from tests.property.small_space import ANALYST, applied, closed, defined, folded, log_lines, space

TWO = default_rules() | {
    "identifiers": [{"type": "user_id", "limit": 2}, *default_rules()["identifiers"][1:]]
}


def told(folder: Path, *said: dict[str, Any], meanings: Any = MEANINGS) -> list[Merge]:
    """The merges in which names or birth dates come together, of people who share an e-mail address."""
    composition = space(folder)
    shared = {"email": "home@x.example"}
    bodies = [
        {"type": "identify", "userId": f"u{number}", "traits": shared | traits}
        for number, traits in enumerate(said)
    ]
    at = log_lines(composition, [Line(1, 0, "web", body) for body in bodies])
    composition = folded(applied(composition, defined(), at), at)
    plan = make_plan(composition, defined(TWO), now=at, purpose=OPERATIONS, viewer=ANALYST, meanings=meanings)
    assert plan.what_if is not None
    assert plan.what_if.merges.count == 1
    closed(composition)
    return plan.what_if.merges.mixed


def seen(merges: list[Merge]) -> dict[str, tuple[str, int]]:
    found: list[Contradiction] = merges[0].contradictions if merges else []
    return {one.trait: (one.meaning, one.distinct) for one in found}


@pytest.mark.parametrize(
    ("trait", "one", "other", "meaning"),
    [
        ("first_name", "José ", "JOSE", ""),
        ("firstName", "Ann", "Bob", "first name"),
        ("Apellidos", "García  López", "Garcia López", ""),
        ("apellidos", "García", "López", "last name"),
        ("birthday", "1980-05-01", "1980-05-01T00:00:00Z", ""),
        ("fechaNacimiento", "1980-05-01", "1980-05-02", "birth date"),
        ("date-of-birth", 1980, 1981, "birth date"),
    ],
)
def test_names_and_birth_dates_are_known_by_what_they_are_called(
    tmp_path: Path, trait: str, one: Any, other: Any, meaning: str
) -> None:
    assert seen(told(tmp_path, {trait: one}, {trait: other})) == ({trait: (meaning, 2)} if meaning else {})


def test_what_a_trait_means_can_be_told(tmp_path: Path) -> None:
    said = ({"rufname": "Ann", "name": "A"}, {"rufname": "Bob", "name": "B"})
    found = seen(told(tmp_path, *said, meanings={"rufname": "first name"}))
    assert found == {"rufname": ("first name", 2), "name": ("", 2)}


def test_a_contradiction_says_whose_value_it_is_and_where_it_comes_from(tmp_path: Path) -> None:
    [merge] = told(tmp_path, {"name": "Ann"}, {"name": "Bob"})
    [name] = merge.contradictions
    assert {one.profile_id for one in name.values} == {one.profile_id for one in merge.people}
    assert {(one.value, one.source) for one in name.values} == {("Ann", "web"), ("Bob", "web")}


def test_who_may_not_read_people_gets_no_plan(tmp_path: Path) -> None:
    composition = space(tmp_path)
    nobody = Viewer("nobody", frozenset())
    with pytest.raises(NotAllowed):
        make_plan(
            composition, defined(TWO), now=log_lines(composition, []), purpose=OPERATIONS, viewer=nobody
        )
    with pytest.raises(NotAllowed):
        make_plan(
            composition, defined(TWO), now=log_lines(composition, []), purpose=Purpose("fun"), viewer=ANALYST
        )
    closed(composition)
