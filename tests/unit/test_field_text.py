"""What differs inside a field is told at its place."""

from typing import Any

import pytest

from cauce.app.cli.field_text import differences_within

USER, MAIL = {"type": "user_id", "limit": 1}, {"type": "email"}
JUNK, NOTHING = {"type": "*", "value": "-1"}, {"type": "*", "value": "none"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a", "a", []),
        ("a", "b", [("rules", "a", "b")]),
        (None, {"a": 1}, [("rules", None, {"a": 1})]),
        ({"a": 1, "b": 2}, {"a": 1, "c": 3}, [("rules.b", 2, None), ("rules.c", None, 3)]),
        ([USER, MAIL], [USER | {"limit": 2}, MAIL], [("rules[user_id].limit", 1, 2)]),
        ([USER, MAIL], [USER], [("rules[email]", MAIL, None)]),
        ([USER, MAIL], [MAIL, USER], [("rules, in order", "user_id, email", "email, user_id")]),
        ([JUNK], [JUNK, NOTHING], [("rules", None, [NOTHING])]),
        ([JUNK, NOTHING], [NOTHING], [("rules", [JUNK], None)]),
        ([JUNK, NOTHING], [NOTHING, JUNK], [("rules", [JUNK, NOTHING], [NOTHING, JUNK])]),
        (["a", "b"], ["b", "a"], [("rules", ["a", "b"], ["b", "a"])]),
    ],
)
def test_the_innermost_differences_are_told(before: Any, after: Any, told: list[Any]) -> None:
    assert list(differences_within("rules", before, after)) == told
