"""Whatever the text, a rule parses or is refused by a ``RuleError`` that points into it."""

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cauce.vocabulary.language import RuleError, parse
from cauce.vocabulary.language.tree import Operator

WORDS = [
    *(
        "event(",
        "trait(",
        "property(",
        "literal(",
        ".where(",
        ".within(",
        ".between(",
        ".count()",
        ".sources(",
    ),
    *(
        "{exclude:",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ".",
        ":",
        "=",
        "!=",
        ">=",
        "<",
        "AND",
        "OR",
        "NOT",
        "as",
        "ANY",
    ),
    *("'a'", "'a.b'", "'\\\\.'", "'", "7", "-1.5e3", "7 days", "1 hour", "parent:", "number", "text", "time"),
    *(
        "true",
        "null",
        "/*",
        "*/",
        "calendar",
        "sum(",
        "was(",
        "\n",
        *(f".{operator}(" for operator in Operator),
    ),
]
pieces = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), max_size=25).map(" ".join)
characters = st.text(st.characters(exclude_categories=()), max_size=200)


@settings(deadline=None, max_examples=1_000)
@given(st.one_of(pieces, pieces, characters))
@example("(" * 10_000)
@example("NOT " * 5_000)
@example("trait('a')" + ".where(" * 2_000)
@example("[" * 9_999 + "]" * 9_999)
@example("trait('a') = " + "9" * 19_000)
@example("trait('a') = 1e" + "9" * 19_000)
@example("event('X').within(" + "9" * 5_000 + " days).count() > 1")
@example("trait('" + "\\" * 9_001 + "') = 1")
@example("/*" * 9_000)
@example("1" + " AND 1" * 3_000)
@example("a" + ".a()" * 4_000)
def test_rubbish_is_refused_and_nothing_else_happens(text: str) -> None:
    with suppress(RuleError):
        try:
            rule = parse(text)
        except RuleError as error:
            assert 0 <= error.position <= len(text)
            assert error.message
            assert str(error)
            raise
        assert parse(str(rule)) == rule
