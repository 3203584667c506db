"""A refused rule says where, what, and what was expected."""

import pytest

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.language import NOT_YET, RuleError, parse
from cauce.vocabulary.language.calls import FILTERS, REDUCERS
from cauce.vocabulary.language.parser import DEEPEST, LONGEST

# The caret line marks the character.
REFUSED = """
tait('plan') = 1
^ There is no function tait. Did you mean trait?

event('X').cuont() >= 1
           ^ There is no function cuont. Did you mean count?

event('X').within(7 dayz).count() > 1
                    ^ There is no unit dayz. Did you mean days?

event('X').sources({exclud: ['web']}).count() > 1
                    ^ There is no option exclud. Did you mean exclude?

trait('x') as numbr > 3
              ^ There is no conversion to numbr. Did you mean number?

event('X').count() = 'x'
                     ^ By equals, a text can never stand against a number. Expected a number.

event('X').count().one_of(1, true)
                             ^ By one_of, a boolean can never stand against a number.

trait('x') as text != 5
                      ^ By differs, a number can never stand against a text.

trait('x') as number = trait('y') as text
                       ^ By equals, a text can never stand against a number.

trait('x') as time > '2026-01-01'
                     ^ Convert a text by as time.

trait('x') > ['a']
             ^ By greater_than, a list can never stand against

trait('x').starts_with(5)
                       ^ By starts_with, a number can never stand against a text.

event('X').count().contains('a')
                   ^ contains never holds on a number. It takes a list or a text on its left.

(trait('x') as number).within_last(7 days)
                       ^ within_last never holds on a number.

trait('x').before_date('2026-01-01T10:00:00')
                       ^ This is no time. Write a date, or a time with its zone

trait('x').within_next(0 days)
                       ^ No time is ever within this.

trait('x').within_last(7)
                       ^ A length of time is expected here.

trait('x').within_last(7.5 days)
                       ^ A length of time is a whole number, at most a hundred years.

trait('x').within_last(40000 days)
                       ^ A length of time is a whole number, at most a hundred years.

event('X').within(0 days).count() > 1
           ^ No event is ever in this window.

event('X').between(7 days, 1 day).count() > 1
           ^ No event is ever in this window.

event('X').between(7 days).count() > 1
           ^ between takes two lengths of time

event('X').within(1 day).between(1 day, 2 days).count() > 1
                         ^ There are two windows.

event('X').where(property('a') = 1).where(property('b') = 1).count() > 1
                                    ^ where(…) is given twice.

event('X').count().within(1 day) > 1
                   ^ within(…) cannot follow count().

event('X').within(1 day) > 1
^ The events are not counted. End with .count()

event('') > 1
^ The event has no name.

event(5).count() > 1
      ^ A text is expected here. Write it in single quotes.

event('X').count(1) > 1
           ^ count takes nothing in its brackets.

trait('x').exists(1)
           ^ exists takes nothing in its brackets.

trait('x').equals()
           ^ equals takes one value in its brackets.

trait('x').one_of([])
           ^ one_of takes at least one value in its brackets.

trait('plan')
^ This is a value; a condition is expected here.

trait('a') = 1 AND event('X').count()
                   ^ This is a value; a condition is expected here.

(trait('a') = 1) = 2
 ^ This is a condition; a value is expected here.

trait('a').equals(1).equals(2)
^ This is a condition; a value is expected here.

5 = 5
^ A constant is compared here.

property('price') > 5
^ A property belongs to an event. Use it in event(…).where(…).

trait('x') = null
             ^ No value equals null. Write .absent() or .exists()

trait('') = 1
      ^ A name is missing here.

trait('a..b') = 1
      ^ A name is missing here.

trait('a\\nb') = 1
      ^ A backslash in a name escapes only

trait('x') = 1e40
             ^ This number has more than 38 digits.

trait('x') = 1e99999999999999999999
             ^ This number has more than 38 digits.

'abc' as number = trait('x')
^ This constant cannot be read as a number.

trait('x') = ‘gold’
             ^ Write texts in straight single quotes: 'a text'.

trait('x') = 'gold
             ^ This text is not closed.

trait('x') = 1 # why
               ^ Write comments as /* … */.

trait('x') = 1 /* why
               ^ This comment is not closed.

trait('x') = 1 and trait('y') = 2
               ^ and cannot stand here. Did you mean AND?

trait('x') equals 5
           ^ Write .equals(…).

trait('x' = 1
             ^ The rule ends too early. Expected ) or

NOT NOT trait('x') = 1
    ^ NOT cannot stand here.

trait('x') =
            ^ The rule ends too early.
"""
CASES = [tuple(case.split("\n")) for case in REFUSED.strip().split("\n\n")]


@pytest.mark.parametrize(("rule", "marked"), CASES)
def test_the_error_points_at_the_character_and_says_what_is_wrong(rule: str, marked: str) -> None:
    column = marked.index("^")
    with pytest.raises(RuleError) as caught:
        parse(rule)
    error = caught.value
    assert isinstance(error, InvalidInput)
    assert (error.position, error.line, error.column) == (column, 1, column + 1)
    assert error.excerpt == f"{rule}\n{' ' * column}^"
    assert marked[column + 2 :] in f"{error.message} {error.hint}"
    assert error.code == "rule"
    assert str(error).startswith(f"Line 1, column {column + 1}: ")


TO_COME = """
event('X').expires_after(1 hour).count() > 1
           ^
event('X').within(parent: 5 days).count() > 1
                  ^
event('X').within(calendar 1 month, zone 'Europe/Madrid').count() > 1
                  ^
event('X').where(property(parent: 'a') = 1).count() > 1
                          ^
event('X').where(context('page.url') = 'x').count() > 1
                 ^
entity('orders').count() > 1
^
segment('vip')
^
known_never(event('X').count() > 1)
^
held(trait('plan'), 'gold').for(5 days)
^
trait('list[*]') = 1
      ^
ALL event('X').count() > 1
^
""".strip().split("\n")


@pytest.mark.parametrize(("rule", "caret"), list(zip(TO_COME[::2], TO_COME[1::2], strict=True)))
def test_what_is_documented_and_not_there_yet_is_refused_as_such(rule: str, caret: str) -> None:
    with pytest.raises(RuleError, match="not supported yet") as caught:
        parse(rule)
    assert caught.value.code == NOT_YET
    assert caught.value.position == caret.index("^")


def test_positions_count_lines_and_long_lines_are_cut() -> None:
    with pytest.raises(RuleError) as caught:
        parse("trait('a') = 1 /* first */\n  AND\n\ttrait('b') ? 2")
    assert (caught.value.line, caught.value.column) == (3, 13)
    assert caught.value.excerpt == " trait('b') ? 2\n            ^"
    with pytest.raises(RuleError) as caught:
        parse(f"trait('{'x' * 500}') ! {'y' * 500}")
    excerpt, caret = caught.value.excerpt.split("\n")
    assert len(excerpt) <= 100
    assert excerpt[caret.index("^")] == "!"


def test_expected_is_listed_for_programs() -> None:
    with pytest.raises(RuleError) as caught:
        parse("event('X').cuont() > 1")
    assert caught.value.expected == (*FILTERS, *REDUCERS)
    with pytest.raises(RuleError) as caught:
        parse("trait(")
    assert "a text in single quotes" in caught.value.expected


def test_there_are_at_most_fifty_comparisons_also_inside_where() -> None:
    one = "trait('a') = 1"
    parse(" AND ".join([one] * 50))
    with pytest.raises(RuleError, match="at most 50 comparisons") as caught:
        parse(" AND ".join([one] * 51))
    assert caught.value.position == 50 * len(f"{one} AND ")
    inside = " OR ".join(["property('a') = 1"] * 50)
    with pytest.raises(RuleError, match="at most 50 comparisons"):
        parse(f"event('X').where({inside}).count() > 1")


def test_nesting_and_length_are_bounded() -> None:
    inner = "trait('a') = 1"
    parse("(" * (DEEPEST - 1) + inner + ")" * (DEEPEST - 1))
    for opening, closing in (("(", ")"), ("[", "]"), ("NOT (", ")")):
        with pytest.raises(RuleError, match="brackets are open"):
            parse(opening * 500 + inner + closing * 500)
    with pytest.raises(RuleError, match="characters"):
        parse(inner + " " * LONGEST)
    with pytest.raises(RuleError, match="occurs in no text") as caught:
        parse("trait('a\x00') = 1")
    assert caught.value.position == 8
    with pytest.raises(RuleError, match="occurs in no text"):
        parse("trait('\ud800') = 1")
    with pytest.raises(RuleError, match="The rule is empty"):
        parse(" /* nothing */ ")
