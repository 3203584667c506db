"""The rule language: one text that says who belongs, evaluated the same way everywhere.

In comes the text of a rule; out goes a ``Rule`` that gives a verdict on a person
at a moment. The text passes through ``parser`` (grammar) and ``build`` (names,
arguments, static checks) into the ``tree``, and from there into closures
(``compile``). Its meaning is the project's ``language.md``; what of it is
supported is ``docs/reference/language.md``.
"""

from cauce.vocabulary.language.computed import Computation, ComputedTrait, compile_traits
from cauce.vocabulary.language.errors import NOT_YET, RuleError
from cauce.vocabulary.language.mentions import Mentions
from cauce.vocabulary.language.paths import Path, nfc, reduce_properties
from cauce.vocabulary.language.person import Bounded, Entry, Folded, Person, Reason, Verdict
from cauce.vocabulary.language.rule import Rule, parse
from cauce.vocabulary.language.tree import Reduction
from cauce.vocabulary.language.values import scalar_order

__all__ = [
    "NOT_YET",
    "Bounded",
    "Computation",
    "ComputedTrait",
    "Entry",
    "Folded",
    "Mentions",
    "Path",
    "Person",
    "Reason",
    "Reduction",
    "Rule",
    "RuleError",
    "Verdict",
    "compile_traits",
    "nfc",
    "parse",
    "reduce_properties",
    "scalar_order",
]
