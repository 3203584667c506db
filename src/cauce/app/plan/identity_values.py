"""What contradicts a merge: names, birth dates and other traits of which the people say different things."""

import heapq
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import select

from cauce.app.plan.identity_model import Contradiction, Said
from cauce.identity.bulk_evidence import Integers
from cauce.identity.stored_columns import NOBODY
from cauce.profile.fragment import Fragment, decode
from cauce.profile.golden import GoldenValue, golden_record
from cauce.profile.records import fragment
from cauce.profile.survivorship import Survivorship
from cauce.storage.records import Reader
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment, to_iso

FIRST_NAME, LAST_NAME, NAME, BIRTH_DATE = "first name", "last name", "name", "birth date"

_WORDS = {
    FIRST_NAME: "first_name firstname given_name forename nombre nombre_pila prenom vorname",
    LAST_NAME: "last_name lastname surname family_name apellido apellidos primer_apellido nom nachname",
    NAME: "name full_name fullname nombre_completo display_name",
    BIRTH_DATE: "birthday birth_date birthdate date_of_birth dob fecha_nacimiento fecha_de_nacimiento "
    "geburtsdatum date_naissance",
}

MEANINGS: Mapping[str, str] = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
"""What a trait means, by its name in small letters with ``_`` between words."""

_HUMP = re.compile(r"([a-z0-9])([A-Z])")

MOST_VALUES = 5
_SIGNATURES = 5_000

Golden = Mapping[str, GoldenValue]


class Looked(NamedTuple):
    """One profile after: what contradicts that people become it, by how much, and its size."""

    profile: int
    mixed: int
    contradictions: list[Contradiction]
    size: int


class Reading(NamedTuple):
    """Where the values of people before come from, and what counts as a name or birth date.

    ``before`` and ``after`` are the profiles that the events of each signature - 1 belong to;
    ``ids`` gives the public id of one before. ``except_for`` are traits that are
    identifiers, of which people may have several.
    """

    reader: Reader
    before: Integers
    after: Integers
    rules: Mapping[str, Survivorship]
    ids: Callable[[int], str]
    except_for: Collection[str] = ()
    meanings: Mapping[str, str] = MEANINGS

    def merged(self, profiles: Integers, sizes: Integers) -> Iterator[Looked]:
        """Look at what people said before they become these profiles, whose ``sizes`` are by number.

        Profiles of which too little is known for a contradiction are left out.
        """
        for profile, rows in groupby(self._fragments(self._known(profiles)), key=itemgetter(0)):
            fragments: dict[int, list[Fragment]] = {}
            for _, person, text in rows:
                fragments.setdefault(person, []).append(decode(text))
            golden = {one: golden_record(said, self.rules) for one, said in sorted(fragments.items())}
            found = self._contradictions(golden)
            if found:
                mixed = sum(one.distinct - 1 for one in found if one.meaning)
                yield Looked(profile, mixed, found, int(sizes[profile]))

    def _known(self, profiles: Integers) -> Integers:
        """The signatures, as number - 1, by which several people assert traits; by profile after."""
        rows = self.reader.scan(select(fragment.c.signature))
        told: Integers = np.fromiter((row[0] - 1 for row in rows), np.int64)
        told = told[(self.before[told] != NOBODY) & np.isin(self.after[told], profiles)]
        told = told[np.lexsort((told, self.after[told]))]
        pairs = np.unique(np.stack([self.after[told], self.before[told]]), axis=1)
        several = np.flatnonzero(np.bincount(pairs[0]) > 1) if len(told) else told
        found: Integers = told[np.isin(self.after[told], several)]
        return found

    def _fragments(self, signatures: Integers) -> Iterator[tuple[int, int, str]]:
        """Profile after, profile before and what a fragment holds, by profile after."""
        for start in range(0, len(signatures), _SIGNATURES):
            some = signatures[start : start + _SIGNATURES].tolist()
            rows = self.reader.rows(fragment, "signature", [one + 1 for one in some])
            texts: dict[int, str] = {row[0] - 1: row[1] for row in rows}
            for one in some:
                yield int(self.after[one]), int(self.before[one]), texts[one]

    def _contradictions(self, people: Mapping[int, Golden]) -> list[Contradiction]:
        """The traits of which people have different values: names and birth dates first, then by name."""
        names = sorted({name for golden in people.values() for name in golden} - set(self.except_for))
        found = []
        for name in names:
            meaning = self.meanings.get(_small(name), "")
            values: dict[str, Said] = {}
            for person, golden in people.items():
                one = golden.get(name)
                if one is not None:
                    values.setdefault(_plain(one.value, meaning), self._said(person, one))
            if len(values) > 1:
                some = list(values.values())[:MOST_VALUES]
                found.append(Contradiction(name, meaning, len(values), some))
        return sorted(found, key=lambda one: not one.meaning)

    def _said(self, person: int, one: GoldenValue) -> Said:
        return Said(self.ids(person), one.value, one.source, to_iso(Moment(one.time)))


class Worst(NamedTuple):
    """Of the profiles looked at, those with most names and birth dates, and with most contradictions."""

    mixed: list[Looked]
    contradicting: list[Looked]
    wanted: dict[int, Looked]


def worst(looked: Iterator[Looked], most: int, wanted: Collection[int]) -> Worst:
    """The ones to be shown, and what was found of those in ``wanted``."""
    mixed: list[tuple[Any, Looked]] = []
    contradicting: list[tuple[Any, Looked]] = []
    found = {}
    for one in looked:
        if one.profile in wanted:
            found[one.profile] = one
        if one.mixed:
            _keep(mixed, (one.mixed, one.size, -one.profile), one, most)
        _keep(contradicting, (len(one.contradictions), one.size, -one.profile), one, most)
    return Worst(_best(mixed), _best(contradicting), found)


def _keep(kept: list[tuple[Any, Looked]], place: tuple[int, int, int], one: Looked, most: int) -> None:
    push = heapq.heappush if len(kept) < most else heapq.heappushpop
    push(kept, (place, one))


def _best(kept: Sequence[tuple[Any, Looked]]) -> list[Looked]:
    return [one for _, one in sorted(kept, key=itemgetter(0), reverse=True)]


def _small(name: str) -> str:
    """A trait's name in small letters with ``_`` between words: ``firstName`` is ``first_name``."""
    spaced = "".join(
        f"_{c}" if c.isupper() and i and not name[i - 1].isupper() else c for i, c in enumerate(name)
    )
    return "_".join(spaced.lower().replace("-", " ").replace("_", " ").split())


def _plain(value: Any, meaning: str) -> str:
    """A value as it is compared: texts without regard to case and spaces, names also to accents."""
    if not isinstance(value, str):
        return encode_json(value).decode()
    text = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    if meaning == BIRTH_DATE:
        return text.partition("t")[0] if text[:4].isdigit() else text
    if meaning:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return text
