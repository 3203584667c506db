"""A rule: its text, its tree, what it reads, and its verdict on a person."""

from cauce.vocabulary.language import explain, mentions
from cauce.vocabulary.language.build import Builder, Expressions
from cauce.vocabulary.language.closures import NEVER, NO_EVENT
from cauce.vocabulary.language.compile import compile_condition
from cauce.vocabulary.language.computed import bound
from cauce.vocabulary.language.errors import Fault, RuleError
from cauce.vocabulary.language.parser import read
from cauce.vocabulary.language.person import Person, Reason, Verdict
from cauce.vocabulary.language.tree import Condition
from cauce.vocabulary.moment import Moment

_HOLDS = Verdict(holds=True, until=None)
_FAILS = Verdict(holds=False, until=None)


class Rule:
    """A segment's condition, compiled once. Rules are equal if their trees are."""

    __slots__ = ("_look", "_test", "mentions", "text", "tree")

    def __init__(self, text: str, tree: Condition) -> None:
        self.text = text
        self.tree = tree
        self.mentions = mentions.mentions(tree)
        self._test, self._look = compile_condition(tree)

    @property
    def timed(self) -> bool:
        """Whether time alone can change a verdict."""
        return self._look is not None

    def evaluate(self, person: Person, at: Moment) -> Verdict:
        """Whether the rule holds for a person at a moment, and until when that is certain.

        Nothing raises: values of a wrong kind make a comparison false (``language.md`` rules 2 and 30).
        """
        look = self._look
        if look is None:
            return _HOLDS if self._test(person, NO_EVENT, at) else _FAILS
        holds, until = look(person, NO_EVENT, at)
        if until == NEVER:
            return _HOLDS if holds else _FAILS
        return Verdict(holds, until)

    def explain(self, person: Person, at: Moment) -> Reason:
        """Why the rule holds for a person at a moment or not, part by part."""
        return explain.explain(self.tree, person, at)

    def __str__(self) -> str:
        return str(self.tree)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.tree == other.tree

    def __hash__(self) -> int:
        return hash(self.tree)


def parse(text: str, computed: Expressions | None = None) -> Rule:
    """The rule that a text stands for; raises ``RuleError`` with the position of what is wrong.

    Where it names one of the ``computed`` traits, the trait's expression stands in its place.
    """
    try:
        tree = Builder(computed or {}).condition(read(text))
        bound(tree, len(text))
    except Fault as fault:
        raise RuleError(text, fault) from None
    return Rule(text, tree)
