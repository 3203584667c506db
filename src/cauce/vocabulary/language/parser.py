"""From rule text to a raw tree of calls and operators, by an LALR(1) grammar.

Nothing here recurses over nested text, and nesting is bounded before anything
that follows does.
"""

from importlib.resources import files
from typing import NoReturn

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from cauce.vocabulary.language.errors import NOT_YET, Fault
from cauce.vocabulary.language.tree import Operator

LONGEST = 20_000
"""The most characters of a rule."""

DEEPEST = 40
"""The most brackets open at once."""

Raw = Tree[Token]

_grammar = Lark(
    files("cauce.vocabulary.language").joinpath("grammar.lark").read_text(encoding="utf-8"),
    parser="lalr",
    lexer="basic",
    propagate_positions=True,
)

_OPENING = ("LPAR", "LSQB", "LBRACE")
_CLOSING = ("RPAR", "RSQB", "RBRACE")
_NAMES = {
    "NAME": "a name",
    "TEXT": "a text in single quotes",
    "NUMBER": "a number",
    "SYMBOL": "a comparison (=, !=, >, >=, <, <=)",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "LBRACE": "{",
    "RBRACE": "}",
    "DOT": ".",
    "COMMA": ",",
    "COLON": ":",
    "AS": "as",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "$END": "the end",
}
_KEYWORDS = ("AND", "OR", "NOT")
_ABOUT_ACCOUNTS = ("ANY", "ALL", "NONE")
_QUOTES = '"“”‘’`´'


def read(text: str) -> Raw:
    """The raw tree of a rule; raises ``Fault`` where the text leaves the grammar."""
    _bound(text)
    tokens: list[Token] = []
    try:
        tokens.extend(_grammar.lex(text))
        _bound_nesting(tokens)
        return _grammar.parse(text)
    except UnexpectedCharacters as error:
        _refuse_character(text, error.pos_in_stream or 0)
    except UnexpectedToken as error:
        _refuse_token(error, tokens)


def _bound(text: str) -> None:
    if len(text) > LONGEST:
        raise Fault(
            f"The rule has {len(text)} characters; {LONGEST} are allowed.",
            LONGEST,
            hint="Split it into several segments.",
        )
    for position, character in enumerate(text):
        if character == "\x00" or "\ud800" <= character <= "\udfff":
            raise Fault("This character occurs in no text.", position, hint="Take it out.")


def _bound_nesting(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.type in _OPENING) - (token.type in _CLOSING)
        if depth > DEEPEST:
            raise Fault(
                f"More than {DEEPEST} brackets are open here.",
                token.start_pos,
                hint="Write the rule with fewer levels.",
            )


def _refuse_character(text: str, position: int) -> NoReturn:
    character = text[position]
    message, hint = "This character has no meaning here.", "Take it out."
    if character == "'":
        message, hint = "This text is not closed.", "Close it with a single quote; one inside is written \\'."
    elif text.startswith("/*", position):
        message, hint = "This comment is not closed.", "Close it with */."
    elif character in _QUOTES:
        hint = "Write texts in straight single quotes: 'a text'."
    elif character in "#/-":
        hint = "Write comments as /* … */."
    raise Fault(message, position, hint=hint) from None


def _refuse_token(error: UnexpectedToken, tokens: list[Token]) -> NoReturn:
    token: Token = error.token
    ended = token.type == "$END"
    before = tokens[-1] if ended and tokens else _before(token, tokens)
    if before in _ABOUT_ACCOUNTS:
        raise Fault(
            f"{before} is not supported yet.",
            before.start_pos if before else 0,
            hint="Write a rule about persons.",
            code=NOT_YET,
        ) from None
    expected = tuple(sorted({_NAMES.get(name, name) for name in error.expected}))
    if ended:
        position = (before.end_pos if before else 0) or 0
        message = "The rule ends too early." if before else "The rule is empty."
    else:
        position, message = token.start_pos or 0, f"{_shown(token)} cannot stand here."
    hint = f"Expected {', '.join(expected[:-1])} or {expected[-1]}." if len(expected) > 1 else ""
    if token.type == "NAME" and token.upper() in _KEYWORDS:
        hint = f"Did you mean {token.upper()}?"
    elif token.type == "NAME" and token in list(Operator):
        hint = f"Write .{token}(…)."
    raise Fault(message, position, hint=hint, expected=expected) from None


def _before(token: Token, tokens: list[Token]) -> Token | None:
    position = token.start_pos or 0
    return next((t for t in reversed(tokens) if (t.end_pos or 0) <= position), None)


def _shown(token: Token) -> str:
    return str(token) if len(token) <= 40 else f"{token[:40]}…"
