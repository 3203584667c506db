"""Moments in queries: as of when somebody asks."""

from typing import Annotated

from fastapi import Query

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import Moment, parse_iso

AsOfQuery = Annotated[
    str | None, Query(description="As of the events received until then: ISO 8601. The present if left out.")
]


def moment_of(text: str | None) -> Moment | None:
    """The moment that a query names, if it does; raises ``InvalidInput`` if it is none."""
    if not text:
        return None
    found = parse_iso(text)
    if found is None:
        raise InvalidInput(
            "as_of names no moment.", hint="Write ISO 8601: 2024-05-01T10:00:00Z or 2024-05-01."
        )
    return found
