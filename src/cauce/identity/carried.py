"""What signatures carried: which identifiers each has, how often, by whom and when."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cauce.identity import records
from cauce.storage.records import Reader
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment


class Carried(NamedTuple):
    """One signature: its identifiers, and per source the number of events with their first and last time."""

    identifiers: tuple[Identifier, ...]
    sources: dict[str, tuple[int, Moment, Moment]]


def carried_by(reader: Reader, signatures: Sequence[int]) -> dict[int, Carried]:
    """What the signatures of some numbers carried; those that are unknown are left out."""
    texts: dict[int, str] = {row[0]: row[1] for row in reader.rows(records.signatures, "id", signatures)}
    ids = sorted({int(one) for text in texts.values() for one in text.split(",")})
    named = {row[0]: _identifier(row[2]) for row in reader.rows(records.identifiers, "id", ids)}
    seen = {
        row[0]: msgspec.json.decode(row[2], type=dict[str, list[int]])
        for row in reader.rows(records.evidence, "identifiers", sorted(texts.values()))
    }
    return {
        number: Carried(
            tuple(named[int(one)] for one in text.split(",")),
            {
                source: (told[0], Moment(told[1]), Moment(told[2]))
                for source, told in seen.get(text, {}).items()
            },
        )
        for number, text in texts.items()
    }


def _identifier(key: str) -> Identifier:
    type_, _, value = key.partition(":")
    return Identifier(type_, value)
