"""The feed of moves, replayed from its first row on, beside the people that are in force."""

from sqlalchemy import select

from cauce.identity.records import members, moves
from cauce.storage.records import Reader


def replayed(reader: Reader) -> dict[int, int]:
    """Identifier → profile, as the feed says; each row must begin where the ones before ended."""
    found: dict[int, int] = {}
    rows = reader.select(select(moves).order_by(moves.c.seq))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    for _, _, identifier, old, new, _ in rows:
        assert found.get(identifier) == old, (identifier, old, new)
        if new:
            found[identifier] = new
        else:
            del found[identifier]
    return found


def partition(reader: Reader) -> dict[int, int]:
    """Identifier → profile, as it is in force."""
    return {row[0]: row[1] for row in reader.select(select(members.c.identifier, members.c.profile))}
