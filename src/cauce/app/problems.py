"""Problems: everything that is wrong in the files of a space, told together."""

from typing import Any, NamedTuple

import msgspec

from cauce.app.misfit import explain_misfit
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.yaml_lines import Document, Steps


class Problem(NamedTuple):
    """One thing wrong at one place; line and column count from 1, 0 where there is no place."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message} {self.hint}".rstrip()


class BadFiles(BadSettings):
    """Some files of the space are wrong; ``problems`` says what is, in the order of the places."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Problems:
    """Gathers problems while files are read."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, file: str, message: str, hint: str = "") -> None:
        """Something is wrong with a whole file, or with what is no file."""
        self.found.append(Problem(file, 0, 0, message, hint))

    def at(self, document: Document, steps: Steps, message: str, hint: str = "") -> None:
        """Something is wrong with the entry that ``steps`` lead to."""
        place = document.place(steps)
        self.found.append(Problem(document.file, place.line, place.column, message, hint))

    def unreadable(self, file: str, error: BadSettings) -> None:
        """The YAML reader refused a file; its message begins with the place."""
        text = error.message.removeprefix(f"{file}:").strip()
        line, _, rest = text.partition(":")
        column, _, message = rest.partition(":")
        if line.isdigit() and column.isdigit():
            self.found.append(Problem(file, int(line), int(column), message.strip(), error.hint))
        else:
            self.add(file, text, error.hint)

    def fit(self, document: Document, steps: Steps, value: object, type_: Any) -> Any:
        """The value as its type; ``msgspec.UNSET``, and a problem, if it does not fit."""
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError as error:
            message, way, hint = explain_misfit(error, value, type_)
            at = (*steps, *way)
            name = next(step for step in reversed(at) if isinstance(step, str))
            self.at(document, at, f"{name}: {message}", hint)
            return msgspec.UNSET

    def refuse(self) -> None:
        """Raise ``BadFiles`` if there is any problem."""
        if self.found:
            raise BadFiles(self.found)
