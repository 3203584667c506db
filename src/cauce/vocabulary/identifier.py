"""Identifiers: values by which systems know a person, and their normal forms."""

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers

from cauce.vocabulary.alias import Alias
from cauce.vocabulary.mailbox import mailbox
from cauce.vocabulary.postal_address import normal_address


class Identifier(NamedTuple):
    """One value by which some system knows a person, e.g. ``email:ann@example.org``."""

    type: str
    value: str

    def __str__(self) -> str:
        return f"{self.type}:{self.value}"


class Normalization(NamedTuple):
    """How a space normalizes identifier values; independent of identity views.

    ``by_type`` maps an identifier type to ``email``, ``mailbox``, ``lower``, ``phone``
    or ``address``; ``region`` is the default region (ISO 3166, e.g. ``ES``) for phone numbers
    written without a country code, or empty to leave them as they are. ``alias``
    says what the source means by an alias call.
    """

    by_type: dict[str, str]
    region: str = ""
    alias: Alias = Alias.IGNORE

    @property
    def usual(self) -> bool:
        """Whether identifiers stand in the usual places alone, so that the rest need not be decoded."""
        return self.alias is Alias.IGNORE and "address" not in self.by_type.values()


DEFAULT_NORMALIZATION = Normalization({"email": "email", "phone": "phone"})


def parse_identifier(text: str) -> Identifier | None:
    """``type:value`` as an identifier; None if either part is empty."""
    type_, _, value = text.partition(":")
    return Identifier(type_, value) if type_ and value else None


def normalize(type_: str, value: str, how: Normalization) -> str:
    """The normal form of a value; empty means absent.

    Every type: Unicode NFKC, trimmed. ``email`` and ``lower``: lower case. ``mailbox``:
    also as the mail provider reads the address (``vocabulary/mailbox.py``).
    ``phone``: digits with a leading ``+`` (``identity.md`` section 2). ``address``:
    name, street and number, post code, place, between semicolons (``postal_address``).
    """
    text = value if value.isascii() else unicodedata.normalize("NFKC", value)
    text = text.strip()
    kind = how.by_type.get(type_)
    if kind is None:
        return text
    if kind == "phone":
        return _phone(text, how.region)
    if kind == "address":
        return normal_address(type_, text)
    return mailbox(text.lower()) if kind == "mailbox" else text.lower()


@lru_cache(maxsize=20_000)
def _phone(text: str, region: str) -> str:
    if region:
        try:
            number = phonenumbers.parse(text, region)
            if phonenumbers.is_possible_number(number):
                return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        except phonenumbers.NumberParseException:
            pass
    return plain_phone(text)


def plain_phone(text: str) -> str:
    """Digits and a leading ``+`` only; a leading ``00`` becomes ``+``."""
    digits = "".join(c for c in text if "0" <= c <= "9")
    if not digits:
        return ""
    if text.lstrip().startswith("+"):
        return "+" + digits
    return "+" + digits[2:] if digits.startswith("00") else digits
