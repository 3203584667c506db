"""The people of the demo, as they really are: the truth that no system sees whole."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cauce.vocabulary.moment import Moment
from demo.names import FAMILY_NAMES, FIRMS, FIRST_NAMES, JOB_TITLES, MAIL_HOSTS, STREETS, TOWNS


class Firm(NamedTuple):
    """An employer and the domain of its e-mail addresses."""

    name: str
    domain: str


class Address(NamedTuple):
    """A postal address."""

    street: str
    postcode: str
    town: str
    country: str


@dataclass(slots=True, kw_only=True)
class Person:
    """One real person; ``number`` names her in the truth.

    ``user_id`` is the shop's customer number, empty for somebody without an
    account. ``job`` is her title, empty where work plays no part. ``addresses``
    are the e-mail addresses that reach her, with the moment at which each one
    stopped to, if it did.
    """

    number: int
    first: str
    last: str
    email: str
    phone: str
    address: Address
    user_id: str = ""
    firm: Firm | None = None
    job: str = ""
    addresses: dict[str, Moment | None] = field(default_factory=dict)

    def reached(self, email: str, time: Moment) -> bool:
        """Whether a letter to this address reaches her at that time."""
        if email not in self.addresses:
            return False
        ended = self.addresses[email]
        return ended is None or time < ended

    @property
    def name(self) -> str:
        """First and family name."""
        return f"{self.first} {self.last}"

    @property
    def work_email(self) -> str:
        """The address at her firm; empty without a firm."""
        return f"{plain(self.first)}.{plain(self.last)}@{self.firm.domain}" if self.firm else ""


def plain(text: str) -> str:
    """Lower-case ASCII letters and digits of a name, as mail systems make addresses of it."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in folded.lower() if c.isalnum())


def phone_number(number: int) -> str:
    """The mobile number of a person; the first thousand lie in the British range kept for drama."""
    return f"+447700{900_000 + number:06d}"


class Crowd:
    """Makes people one after the other; names repeat only when all combinations are used up."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names = self._shuffled_names()
        self.people: list[Person] = []

    def _shuffled_names(self) -> Iterator[tuple[str, str, str]]:
        pairs = [(first, last) for first in FIRST_NAMES for last in FAMILY_NAMES]
        self._rng.shuffle(pairs)
        generation = 0
        while True:
            for first, last in pairs:
                yield first, last, str(generation) if generation else ""
            generation += 1

    def named(self, first: str, last: str, *, email: str = "", account: bool = False) -> Person:
        """A person of a story, by name."""
        return self._add(first, last, email or f"{plain(first)}.{plain(last)}@mail.example", account)

    def anybody(self, *, account: bool = False, works: bool = False) -> Person:
        """A person drawn at random."""
        first, last, mark = next(self._names)
        host = MAIL_HOSTS[self._rng.randrange(len(MAIL_HOSTS))]
        person = self._add(first, last, f"{plain(first)}.{plain(last)}{mark}@{host}", account)
        if works:
            person.firm = Firm(*self._rng.choice(FIRMS))
            person.job = self._rng.choice(JOB_TITLES)
            person.last += mark
            person.addresses[person.work_email] = None
        return person

    def _add(self, first: str, last: str, email: str, account: bool) -> Person:
        number = len(self.people) + 1
        town, postcode, country = TOWNS[self._rng.randrange(len(TOWNS))]
        person = Person(
            number=number,
            first=first,
            last=last,
            email=email,
            phone=phone_number(number),
            address=Address(f"{self._rng.choice(STREETS)} {number}", postcode, town, country),
            user_id=f"cust-{10_000 + number}" if account else "",
            addresses={email: None},
        )
        self.people.append(person)
        return person
