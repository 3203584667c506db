"""Marks of a move: a log whose space went to another engine says so, and takes no more events.

The marks are rows of ``fixed``. ``moving`` holds the number of a move that was not yet
seen to arrive, ``moved`` the moment since when it is done; at the new place ``arrived``
holds the number of the move that brought it.
"""

from collections.abc import Mapping

from cauce.vocabulary.errors import Conflict

MOVING, MOVED, ARRIVED = "moving", "moved", "arrived"
MARKS = frozenset((MOVING, MOVED, ARRIVED))
"""The names of rows of ``fixed`` that belong to a place and not to the space."""

READ_MARKS = "SELECT name, value FROM fixed WHERE name IN ('moving', 'moved', 'arrived')"


def refuse_if_moved(marks: Mapping[str, int], place: str) -> None:
    """Raise ``Conflict`` if the marks of a place say that the space is not, or not surely, there any more."""
    if MOVED in marks:
        raise Conflict(
            f"This space was moved away from {place}.",
            hint="Let store.url and store.schema (CAUCE_STORE__URL) say where it is now; without store.url "
            "it is in SQLite files.",
            code="moved_store",
        )
    if MOVING in marks:
        raise Conflict(
            f"Moving this space away from {place} was cut short at its end.",
            hint="Give the same `cauce migrate` again: it finds out whether the move was done, and ends it.",
            code="moving_store",
        )
