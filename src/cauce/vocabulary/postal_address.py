"""Postal addresses as identifiers: street, number, post code and place, with a person's name or alone.

Two lists seldom write an address alike. The normal form forgets case, accents,
punctuation, the order of the words of a name, and the usual abbreviations of
streets; it keeps everything that could be another house or another person.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

POSTAL_ADDRESS = "postal_address"
"""The identifier type that the product makes of a name with an address: one person."""

HOUSEHOLD_ADDRESS = "household_address"
"""The identifier type that it makes of an address alone: all who live there."""

_WORDS = re.compile(r"[^\W_]+")
_SHORT = {
    "street": "st", "saint": "st", "sankt": "st", "str": "str", "strasse": "str",
    "road": "rd", "avenue": "av", "ave": "av", "avenida": "av", "avda": "av", "avd": "av",
    "boulevard": "blvd", "bulevar": "blvd", "lane": "ln", "drive": "dr", "square": "sq", "court": "ct",
    "calle": "c", "carrer": "c", "plaza": "pl", "place": "pl", "platz": "pl", "placa": "pl", "pza": "pl",
    "paseo": "ps", "passeig": "ps", "pso": "ps", "allee": "al", "apartment": "apt", "flat": "apt",
}  # fmt: skip
"""Words of streets and the one form that stands for each; a word may stand for two in short."""

_NAMES = (("firstName", "lastName"), ("first_name", "last_name"))
_STREETS = ("street", "line1", "address_line_1")
_NUMBERS = ("number", "houseNumber", "house_number", "street_number")
_CODES = ("postalCode", "postal_code", "post_code", "postcode", "zip", "zip_code")
_PLACES = ("city", "place", "town")


def address_identifiers(traits: Mapping[str, Any], kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    """The identifiers that some traits make, by type: those whose kind is ``address``."""
    types = [type_ for type_ in (POSTAL_ADDRESS, HOUSEHOLD_ADDRESS) if kinds.get(type_) == "address"]
    parts = address_parts(traits) if types else ()
    return [(type_, _joined(*parts[1:] if type_ == HOUSEHOLD_ADDRESS else parts)) for type_ in types]


def address_parts(traits: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Name, street with number, post code and place as some traits have them; empty where they have none."""
    address = traits.get("address")
    where = address if isinstance(address, Mapping) else traits
    street = f"{_first(where, _STREETS)} {_first(where, _NUMBERS)}".strip()
    return _name(traits), street, _first(where, _CODES), _first(where, _PLACES)


def normal_address(type_: str, text: str) -> str:
    """The normal form of ``name;street and number;post code;place``; empty if a part is missing.

    A household's address has no name.
    """
    parts = text.split(";")
    return _joined(*parts) if len(parts) == (3 if type_ == HOUSEHOLD_ADDRESS else 4) else ""


def _joined(*parts: str) -> str:
    """The normal forms of ``[name,] street and number, post code, place``; empty if one is empty."""
    *name, street, code, place = parts
    numbers = sorted(_numbers(street))
    words = [word for word in _street_words(street) if not word[0].isdigit()]
    normal = (
        *(" ".join(sorted(word for word in _words(one) if len(word) > 1)) for one in name),
        " ".join((*words, "-".join(numbers))) if words and numbers else "",
        "".join(_words(code)),
        " ".join(_SHORT.get(word, word) for word in _words(place)),
    )
    return ";".join(normal) if all(normal) else ""


def _words(text: str) -> list[str]:
    """The words of a text without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return _WORDS.findall("".join(c for c in decomposed if not unicodedata.combining(c)))


def _street_words(street: str) -> Iterator[str]:
    """The words of a street; the letter of a number (``12 b``) belongs to the number."""
    before = ""
    for word in _words(street):
        if len(word) == 1 and word.isalpha() and before.isdigit():
            before = ""
            continue
        before = word
        yield word[: -len("asse")] if word.endswith("strasse") else _SHORT.get(word, word)


def _numbers(street: str) -> Iterator[str]:
    words = _words(street)
    for word, after in zip(words, [*words[1:], ""], strict=False):
        if word[0].isdigit():
            yield word + (after if word.isdigit() and len(after) == 1 and after.isalpha() else "")


def _name(traits: Mapping[str, Any]) -> str:
    for parts in _NAMES:
        if all(_text(traits.get(part)) for part in parts):
            return " ".join(_text(traits[part]) for part in parts)
    return _text(traits.get("name"))


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(values.get(name)))), "")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else ""
