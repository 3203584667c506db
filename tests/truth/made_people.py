"""People of whom we know who is who: households, typing errors, swapped names, missing values.

Names follow a long-tailed distribution, members of a household share surname,
address, land line and at times the e-mail address, twins a birth date; a record of
a person is written anew with errors of its own.
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SYLLABLES = (
    *(
        "ma",
        "ri",
        "an",
        "jo",
        "lu",
        "car",
        "los",
        "el",
        "na",
        "pe",
        "dro",
        "so",
        "fi",
        "a",
        "mi",
        "guel",
        "ju",
    ),
    *(
        "lia",
        "ro",
        "sa",
        "ber",
        "to",
        "da",
        "ni",
        "fer",
        "nan",
        "do",
        "al",
        "va",
        "ri",
        "cla",
        "ra",
        "hu",
        "go",
    ),
)
_STREETS = ("calle", "avenida", "plaza", "paseo", "camino")


class Person(NamedTuple):
    """A person as it truly is."""

    given: str
    surname: str
    second: str
    birth: date
    street: str
    number: str
    place: str
    code: str
    phone: str
    email: str
    national: str


class Record(NamedTuple):
    """A record: the person's number and what was written of it."""

    person: int
    values: dict[str, str]


def _word(draw: random.Random, least: int, most: int) -> str:
    return "".join(draw.choice(_SYLLABLES) for _ in range(draw.randint(least, most))).capitalize()


def _pool(draw: random.Random, size: int, least: int, most: int) -> Callable[[], str]:
    """Words of which the first are frequent and the last rare."""
    words = list({_word(draw, least, most): None for _ in range(size)})
    weights = [1 / (place + 3) for place in range(len(words))]
    return lambda: draw.choices(words, weights)[0]


def people(count: int, draw: random.Random) -> Iterator[Person]:
    """People in households of one to five."""
    given, surname = _pool(draw, 300, 2, 3), _pool(draw, 1200, 2, 4)
    street, place = _pool(draw, 900, 2, 4), _pool(draw, 60, 2, 3)
    codes: dict[str, list[str]] = {}
    made = 0
    while made < count:
        size = draw.choices((1, 2, 3, 4, 5), (40, 25, 15, 14, 6))[0]
        town = place()
        code = draw.choice(codes.setdefault(town, [f"{draw.randrange(1000, 53000):05d}" for _ in range(4)]))
        home = (f"{draw.choice(_STREETS)} {street()}", str(draw.randint(1, 120)), town, code)
        line = f"9{draw.randrange(10**8):08d}"
        family, other = surname(), surname()
        birth = date(1930, 1, 1) + timedelta(days=draw.randrange(24_000))
        for member in range(size):
            child = member >= 2
            twin = child and draw.random() < 0.12
            if not twin:
                years = draw.randint(20, 38) if child else draw.randint(-4, 4)
                born = birth + timedelta(days=365 * years + draw.randrange(365))
            name = given()
            last = family if member == 0 or child else (family if draw.random() < 0.5 else other)
            host = draw.choice(("mail.es", "correo.com", "post.net"))
            mail = f"{name}.{last}{draw.randint(1, 99)}@{host}".lower()
            phone = line if draw.random() < 0.4 else f"6{draw.randrange(10**8):08d}"
            yield Person(name, last, other, born, *home, phone, mail, f"{draw.randrange(10**8):08d}")
            made += 1


def slip(text: str, draw: random.Random) -> str:
    """One typing error."""
    if not text:
        return text
    at = draw.randrange(len(text))
    letters = "0123456789" if text[at].isdigit() else _LETTERS
    match draw.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + draw.choice(letters) + text[at:]
        case 2:
            return text[:at] + draw.choice(letters) + text[at + 1 :]
    return text[: max(at - 1, 0)] + text[max(at - 1, 0) : at + 1][::-1] + text[at + 1 :]


def written(person: Person, draw: random.Random, errors: float, missing: float) -> dict[str, str]:
    """A record of a person, each value with a typing error or missing at those rates."""
    born = person.birth
    if draw.random() < errors / 2 and born.day <= 12:
        born = date(born.year, born.day, born.month)
    values = {
        "given": person.given,
        "surname": f"{person.surname} {person.second}" if draw.random() < 0.5 else person.surname,
        "birth": born.isoformat(),
        "street": person.street,
        "number": person.number,
        "place": person.place,
        "code": person.code,
        "phone": person.phone,
        "email": person.email,
        "national": person.national,
    }
    for name in values:
        if draw.random() < missing:
            values[name] = ""
        elif draw.random() < errors:
            values[name] = slip(values[name], draw)
    if draw.random() < errors / 2:
        values["given"], values["surname"] = values["surname"], values["given"]
    return values


def records(
    count: int, *, seed: int, errors: float = 0.12, missing: float = 0.12, most: int = 4
) -> list[Record]:
    """Records of ``count`` people, one to ``most`` each, shuffled."""
    draw = random.Random(seed)
    found = []
    for number, person in enumerate(people(count, draw)):
        for _ in range(draw.randint(1, most)):
            found.append(Record(number, written(person, draw, errors, missing)))
    draw.shuffle(found)
    return found
