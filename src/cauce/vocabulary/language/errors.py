"""What is wrong with a rule, and where."""

from cauce.vocabulary.errors import InvalidInput

NOT_YET = "rule_not_supported"
"""The code of errors about parts of the language that this version leaves out."""

_BEFORE, _AFTER = 60, 40


class Fault(Exception):
    """A fault at a position, raised while a rule is read; it leaves this package as a ``RuleError``."""

    def __init__(
        self,
        message: str,
        position: int | None,
        *,
        hint: str = "",
        expected: tuple[str, ...] = (),
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position or 0
        self.hint = hint
        self.expected = expected
        self.code = code


class RuleError(InvalidInput):
    """A rule that does not parse, or that can never mean what it says.

    ``position`` counts characters of the rule's text from 0; ``line`` and
    ``column`` count from 1. ``expected`` lists what may stand there instead, and
    ``excerpt`` is that line of the rule with a caret under the character.
    ``code`` is ``rule_not_supported`` for what this version leaves out.
    """

    code = "rule"

    def __init__(self, text: str, fault: Fault) -> None:
        super().__init__(fault.message, hint=fault.hint, code=fault.code)
        self.expected = fault.expected
        self.position = position = min(fault.position, len(text))
        start = text.rfind("\n", 0, position) + 1
        end = text.find("\n", position)
        self.line = text.count("\n", 0, position) + 1
        self.column = position - start + 1
        self.excerpt = _excerpt(text[start : end if end >= 0 else len(text)], position - start)

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {super().__str__()}\n{self.excerpt}"


def _excerpt(line: str, column: int) -> str:
    shown = "".join(c if c.isprintable() else " " for c in line)
    start = max(0, column - _BEFORE)
    return f"{shown[start : column + _AFTER]}\n{' ' * (column - start)}^"
