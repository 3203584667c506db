"""Rulesets: what is accepted, what is refused and how the refusal helps."""

from typing import Any

import pytest

from cauce.identity import default_rules, read_rules
from cauce.identity.policy import Policy
from cauce.vocabulary.errors import BadSettings

USER = {"type": "user_id", "limit": 1}


@pytest.mark.parametrize(
    ("rules", "message", "hint"),
    [
        ({"identifiers": [USER], "blockd": []}, "unknown key blockd", "Did you mean blocked?"),
        ({"identifiers": [USER, {"type": "email", "limmit": 1}]}, "identifiers[1]", "Did you mean limit?"),
        ({"identifiers": [USER, {"type": "email", "limit": "5"}]}, "identifiers[1].limit", ""),
        ({"identifiers": [USER, {"type": "email", "limit": 0}]}, "identifiers[1].limit", ""),
        ({"identifiers": [USER, {"limit": 1}]}, "type", ""),
        ({"identifiers": [USER, {"type": "e:mail"}]}, "identifiers[1].type", ""),
        ({"identifiers": [USER, {"type": "email", "conflict": "first"}]}, "identifiers[1].conflict", ""),
        ({"identifiers": [USER, USER]}, "user_id is listed twice, at identifiers[1].type", "Remove"),
        ({"identifiers": []}, "identifiers", ""),
        ({"identifiers": ["user_id"]}, "identifiers[0]", "Valid keys: type"),
        ({}, "identifiers", ""),
        ({"identifiers": [USER], "blocked": [{"type": "*"}]}, "blocked[0] needs either", "Quote"),
        ({"identifiers": [USER], "blocked": [{"value": "a", "regex": "a"}]}, "blocked[0] needs either", ""),
        ({"identifiers": [USER], "blocked": [{"regex": "(("}]}, "blocked[0].regex does not parse", ""),
        ({"identifiers": [USER], "strength": {"crm": "high"}}, "strength", ""),
        ({"identifiers": [USER], "max_ids_per_event": True}, "max_ids_per_event", ""),
    ],
)
def test_wrong_rules_are_refused_with_the_place(rules: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(BadSettings) as refused:
        read_rules(rules)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_equal_rules_have_equal_hashes() -> None:
    rules = default_rules()
    shuffled = dict(reversed(list(rules.items())))
    assert read_rules(shuffled).hash == read_rules(rules).hash
    rules["strength"] = {"crm": 1}
    assert read_rules(shuffled).hash != read_rules(rules).hash


def test_the_defaults_are_those_of_the_definition() -> None:
    rules = {rule.type: rule for rule in read_rules(default_rules()).identifiers}
    assert {t: r.limit for t, r in rules.items() if r.limit} == {"user_id": 1, "email": 5, "phone": 3}
    assert (rules["email"].max_owners, rules["phone"].max_owners) == (20, 20)
    assert rules["ios.id"].max_owners == rules["anonymous_id"].max_owners == 50
    order = list(rules)
    assert (order[0], order[-1]) == ("user_id", "anonymous_id")


@pytest.mark.parametrize(
    "junk", ["0", "000-000", "-1", "NULL", "Anonymous", "n/a", "NaN", "00000000-0000-0000-0000-000000000000"]
)
def test_junk_is_blocked_for_every_type(junk: str) -> None:
    policy = Policy(read_rules(default_rules()))
    assert not policy.counts("user_id", junk)
    assert not policy.counts("ios.idfa", junk)


def test_a_value_is_blocked_for_its_type_only_and_in_full() -> None:
    policy = Policy(
        read_rules(
            {
                "identifiers": [USER, {"type": "email"}],
                "blocked": [{"type": "email", "value": "info@x.example"}, {"type": "email", "regex": "no.*"}],
            }
        )
    )
    assert not policy.counts("email", "INFO@x.example")
    assert not policy.counts("email", "noreply@x.example")
    assert policy.counts("email", "xno@x.example")
    assert policy.counts("user_id", "info@x.example")
    assert not policy.counts("phone", "1")  # not listed
