"""What must hold of the rules of segments and the expressions of computed traits, and where it does not."""

from collections.abc import Sequence
from pathlib import Path

from cauce.app.definition_checks import Written
from cauce.app.problems import Problem, Problems
from cauce.app.rule_place import rule_place
from cauce.vocabulary.definitions import SegmentDef, SurvivorshipRule, TraitDef
from cauce.vocabulary.language import RuleError, compile_traits, nfc, parse
from cauce.vocabulary.yaml_lines import Place

_EXCLUDED = ("survivorship", "sources", "values")
_COMPARING = (SurvivorshipRule.MINIMUM, SurvivorshipRule.MAXIMUM)


def check_rules(written: Sequence[Written], problems: Problems) -> None:
    """Add a problem for each rule or expression without a meaning, at its character."""
    traits = {nfc(one.name): one for one in written if isinstance(one.value, TraitDef)}
    compiled = compile_traits({name: one.value.compute for name, one in traits.items() if one.value.compute})
    for name, error in compiled.errors.items():
        _refuse(traits[name], "compute", traits[name].value.compute, error, problems)
    for one in traits.values():
        _check_exclusive(one, problems)
    for one in written:
        if isinstance(one.value, SegmentDef):
            try:
                parse(one.value.rule, compiled.expressions)
            except RuleError as error:
                _refuse(one, "rule", one.value.rule, error, problems)


def _check_exclusive(one: Written, problems: Problems) -> None:
    """A trait is computed or asserted, and only a minimum or maximum compares."""
    trait: TraitDef = one.value
    named = [field for field in _EXCLUDED if (*one.steps, field) in one.document.values]
    if trait.compute and named:
        problems.at(
            one.document,
            (*one.steps, named[0]),
            f"{named[0]} has no effect on a computed trait.",
            "Remove it; or remove `compute`, and events assert the trait.",
        )
    elif "values" in named and trait.survivorship not in _COMPARING:
        problems.at(
            one.document,
            (*one.steps, "values"),
            f"values has no effect with {trait.survivorship}.",
            "Remove it, or write `survivorship: minimum` or `maximum`.",
        )


def _refuse(one: Written, field: str, text: str, error: RuleError, problems: Problems) -> None:
    position = min(error.position, len(text.rstrip()))
    place = _place(one, field, text, position)
    message = f"{error.message}\n{_indented(error.excerpt)}\n   "
    problems.found.append(Problem(one.document.file, *place, message, error.hint))


def _place(one: Written, field: str, text: str, position: int) -> Place:
    way = (*one.steps, field)
    start = one.document.values[way]
    lines = Path(one.document.file).read_text(encoding="utf-8-sig").splitlines()
    return rule_place(lines, start, text, position) or one.document.place(way)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
