"""The sentences beneath the fields of settings, read from the source where they are written."""

import ast
import inspect
from dataclasses import Field, fields
from itertools import pairwise
from typing import Any


def own_fields_first(section: type[Any]) -> list[Field[Any]]:
    """The fields of a settings class, those that it inherits last."""
    return sorted(fields(section), key=lambda one: one.name not in section.__annotations__)


def field_sentences(section: type[Any]) -> dict[str, str]:
    """Field name → the string that stands beneath it in the class or in one it inherits from."""
    found: dict[str, str] = {}
    for one in reversed(section.__mro__[:-1]):
        found |= _own_sentences(one)
    return found


def _own_sentences(section: type[Any]) -> dict[str, str]:
    [parsed] = ast.parse(inspect.getsource(section)).body
    body = parsed.body if isinstance(parsed, ast.ClassDef) else []
    found = {}
    for field, below in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def first_sentence(documented: type[Any]) -> str:
    """The first line of a class's docstring."""
    return (inspect.getdoc(documented) or "").partition("\n")[0]
