"""Languages: every message in the reader's, numbers and moments as her country writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, negotiate_locale
from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from cauce.identity.why_words import ENGLISH, Said, sentence
from cauce.vocabulary.moment import Moment, parse_iso

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}
"""The languages there are, each by its own name."""

COOKIE = "cauce_language"

FOLDER = Path(__file__).parent / "locale"

_MICROSECONDS = 1_000_000


@cache
def catalogue(language: str) -> Mapping[Any, Any]:
    """The translations of a language by message; of a message that counts, all its forms."""
    path = FOLDER / language / "LC_MESSAGES" / "console.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    return {message.id: message.string for message in found if message.id and message.string}


class Words:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(language)
        self._catalogue = catalogue(language)

    def say(self, message: str, **values: object) -> str:
        """A message with values in it, each as text."""
        text = self._catalogue.get(message, message)
        return str(text).format_map(values) if values else str(text)

    def several(self, one: str, many: str, count: int) -> str:
        """A message about ``count`` things, which stands in it as ``{n}``."""
        forms = self._catalogue.get((one, many), (one, many))
        text = str(forms[self._form(count)])
        return text.format(n=self.number(count))

    def _form(self, count: int) -> int:
        """Which of two forms counts so many; both languages have one for 1 and one for the rest."""
        return 0 if self._locale.plural_form(count) == "one" else 1

    def sentence(self, said: Said) -> str:
        """What identity says of its reasons."""
        return sentence(said, {key: self.say(text) for key, text in ENGLISH.items()})

    def number(self, value: float | Decimal | int) -> str:
        """A number as the language writes it."""
        return format_decimal(value, locale=self._locale)

    def signed(self, value: float) -> str:
        """A number with one decimal and its sign."""
        return format_decimal(value, format="+0.0;-0.0", locale=self._locale)

    def moment(self, moment: Moment | int | str) -> str:
        """A moment, in UTC; a text is one in ISO 8601."""
        found = parse_iso(moment) if isinstance(moment, str) else moment
        if found is None:
            return str(moment)
        when = datetime.fromtimestamp(found / _MICROSECONDS, UTC)
        return f"{format_datetime(when, 'medium', tzinfo=UTC, locale=self._locale)} UTC"


def choose(chosen: str, accepted: str) -> str:
    """The language that somebody chose, else the best of the header ``Accept-Language``, else English."""
    if chosen in LANGUAGES:
        return chosen
    wanted = [part.partition(";") for part in accepted.split(",")]
    ordered = sorted(wanted, key=lambda part: -_weight(part[2]))
    names = [name.strip().partition("-")[0] for name, _, weight in ordered if _weight(weight) > 0]
    return negotiate_locale(names, list(LANGUAGES), sep="-") or "en"


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0.0
