"""Repairs: what a rule changes in refused input before it is judged again.

A repair changes text first, then values. It never invents what is not written in
it, and where it does not apply it changes nothing.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.exact import decode_json, encode_json

Path = Annotated[str, Meta(min_length=1, examples=["properties.total"])]
"""Names from the outer object inwards, joined by dots; a backslash escapes a dot within a name."""


class Form(StrEnum):
    """What a value can be converted to."""

    TEXT = "text"
    NUMBER = "number"


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A literal text, and what stands in its place afterwards."""

    find: Annotated[str, Meta(min_length=1, description="The text to look for, as it stands in the input.")]
    put: Annotated[str, Meta(description="What to write instead.")] = ""


class Repair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes in the order of the fields; each is left out where it has nothing to do."""

    replace: Annotated[
        tuple[Replacement, ...], Meta(description="Texts replaced in the input before it is read as JSON.")
    ] = ()
    rename: Annotated[dict[Path, Path], Meta(description="Path → the path where its value belongs.")] = {}
    remove: Annotated[tuple[Path, ...], Meta(description="Paths whose values are left out.")] = ()
    set: Annotated[dict[Path, Any], Meta(description="Path → the value it gets, whatever it had.")] = {}
    default: Annotated[
        dict[Path, Any], Meta(description="Path → the value it gets if it is absent, null or an empty text.")
    ] = {}
    convert: Annotated[
        dict[Path, Form],
        Meta(description="Path → the kind its value is converted to, where that loses nothing."),
    ] = {}
    shorten: Annotated[
        dict[Path, Annotated[int, Meta(ge=0)]],
        Meta(description="Path → how many characters of a text, or members of an object or list, stay."),
    ] = {}

    def text(self, body: bytes) -> bytes:
        """The input with its texts replaced."""
        for one in self.replace:
            body = body.replace(one.find.encode(), one.put.encode())
        return body

    def event(self, item: bytes) -> bytes:
        """The event with its values repaired; as it is if it is no JSON object."""
        if not (self.rename or self.remove or self.set or self.default or self.convert or self.shorten):
            return item
        try:
            fields = decode_json(item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
            return item
        if not isinstance(fields, dict):
            return item
        self._values(fields)
        return encode_json(fields)

    def _values(self, fields: dict[str, Any]) -> None:
        for old, new in self.rename.items():
            holder, name = _holder(fields, old)
            if holder is not None and name in holder:
                _put(fields, new, holder.pop(name))
        for path in self.remove:
            holder, name = _holder(fields, path)
            if holder is not None:
                holder.pop(name, None)
        for path, value in self.set.items():
            _put(fields, path, value)
        for path, value in self.default.items():
            holder, name = _holder(fields, path)
            if holder is None or holder.get(name) in (None, ""):
                _put(fields, path, value)
        _change(fields, self.convert, _converted)
        _change(fields, self.shorten, _shortened)


NOTHING = Repair()
"""The repair that changes nothing: input is judged again as it is."""


def _change(fields: dict[str, Any], wanted: Mapping[str, Any], how: Callable[[Any, Any], Any]) -> None:
    for path, argument in wanted.items():
        holder, name = _holder(fields, path)
        if holder is not None and name in holder:
            holder[name] = how(holder[name], argument)


def _converted(value: Any, form: Form) -> Any:
    if form is Form.TEXT and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return encode_json(value).decode()
    if form is Form.NUMBER and isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return value
        return number if number.is_finite() else value
    return value


def _shortened(value: Any, length: int) -> Any:
    if isinstance(value, dict):
        return dict(list(value.items())[:length])
    return value[:length] if isinstance(value, str | list) else value


def _names(path: str) -> list[str]:
    names, escaped = [""], False
    for character in path:
        if not escaped and character == "\\":
            escaped = True
        elif not escaped and character == ".":
            names.append("")
        else:
            names[-1] += character
            escaped = False
    return names


def _holder(fields: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """The object that holds the value at a path, None if there is none, and the last name."""
    *way, last = _names(path)
    holder: Any = fields
    for name in way:
        holder = holder.get(name)
        if not isinstance(holder, dict):
            return None, last
    return holder, last


def _put(fields: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path; objects on the way are made, anything else there gives way."""
    *way, last = _names(path)
    holder = fields
    for name in way:
        inner = holder.get(name)
        if not isinstance(inner, dict):
            inner = holder[name] = {}
        holder = inner
    holder[last] = value
