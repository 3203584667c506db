"""The identity rules of a new space: the priorities, limits and blocked values that the field expects."""

import pytest
import yaml

from cauce.app.space import TEMPLATE
from cauce.identity.simulate import simulate

RULES = yaml.safe_load((TEMPLATE / "identity/person.yaml").read_text(encoding="utf-8"))["rules"]
ZEROS = "00000000-0000-0000-0000-000000000000"


def people(*ids: dict[str, object]) -> list[list[str]]:
    events = [{"id": str(n), "ts": 1_700_000_000 + n, "ids": one} for n, one in enumerate(ids)]
    return sorted(simulate(RULES, events).values())


def test_user_ids_come_first_and_anonymous_ids_last() -> None:
    order = [one["type"] for one in RULES["identifiers"]]
    assert order[:2] == ["user_id", "email"]
    assert order[-1] == "anonymous_id"
    assert order[3:-1] == sorted(order[3:-1])  # devices among themselves by name, as SEG-ID-05
    limits = {one["type"]: one.get("limit") for one in RULES["identifiers"]}
    assert (limits["user_id"], limits["email"], limits["anonymous_id"]) == (1, 5, None)


@pytest.mark.parametrize("value", ["000-000", "0", "-1", "null", "NULL", "anonymous", ZEROS])
@pytest.mark.parametrize("type_", ["user_id", "ios.idfa", "android.push_token", "anonymous_id"])
def test_values_that_are_nobody_s(type_: str, value: str) -> None:
    """SEG-ID-06, for every type: two people who share such a value stay two."""
    first, second = ({"email": f"{name}@example.org", type_: value} for name in ("ann", "bob"))
    assert people(first, second) == [["email:ann@example.org"], ["email:bob@example.org"]]


@pytest.mark.parametrize("type_", ["ios.id", "ios.idfa", "android.push_token"])
def test_a_phone_links_a_visitor_to_who_she_is(type_: str) -> None:
    """SEG-ID-03 in short."""
    found = people({"anonymous_id": "a", type_: "x"}, {"user_id": "ann", type_: "x"})
    assert [sorted(members) for members in found] == [sorted(["anonymous_id:a", f"{type_}:x", "user_id:ann"])]


def test_a_shared_tablet_does_not_make_one_person_of_two() -> None:
    """SEG-ID-08: the user id is limited to one, so the device goes to one of them."""
    found = people({"user_id": "ann", "ios.id": "tablet"}, {"user_id": "bob", "ios.id": "tablet"})
    users = [[one for one in members if one.startswith("user_id")] for members in found]
    assert sorted(users) == [["user_id:ann"], ["user_id:bob"]]
