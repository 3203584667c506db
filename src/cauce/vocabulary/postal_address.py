"""Postal addresses as identifiers: a person's name with street, number, post code and place.

Two lists seldom write an address alike. The normal form forgets case, accents,
punctuation, the order of the words of a name, and the usual abbreviations of
streets; it keeps everything that could be another house or another person.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

POSTAL_ADDRESS = "postal_address"
"""The identifier type that the product makes of names and addresses."""

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


def address_identifier(traits: Mapping[str, Any]) -> str:
    """The identifier that some traits make: ``ann lee;st main 12;12345;springfield``.

    The address is ``traits.address`` (Segment's object) or stands among the traits.
    Empty if the name, the street, its number, the post code or the place is missing.
    """
    return _joined(*address_parts(traits))


def address_parts(traits: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Name, street with number, post code and place as some traits have them; empty where they have none."""
    address = traits.get("address")
    where = address if isinstance(address, Mapping) else traits
    street = f"{_first(where, _STREETS)} {_first(where, _NUMBERS)}".strip()
    return _name(traits), street, _first(where, _CODES), _first(where, _PLACES)


def normal_address(text: str) -> str:
    """The normal form of ``name;street and number;post code;place``; empty if a part is missing."""
    parts = text.split(";")
    return _joined(*parts) if len(parts) == 4 else ""


def _joined(name: str, street: str, code: str, place: str) -> str:
    numbers = sorted(_numbers(street))
    words = [word for word in _street_words(street) if not word[0].isdigit()]
    parts = (
        " ".join(sorted(word for word in _words(name) if len(word) > 1)),
        " ".join((*words, "-".join(numbers))) if words and numbers else "",
        "".join(_words(code)),
        " ".join(_SHORT.get(word, word) for word in _words(place)),
    )
    return ";".join(parts) if all(parts) else ""


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
