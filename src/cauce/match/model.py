"""A model of which records are of one person: what is compared, and what each outcome weighs.

The model of Fellegi and Sunter (1969) with one class more. A pair of records is of
one person, of two who are related (a household: they share surname, address,
telephone), or of two strangers. ``m``, ``h`` and ``u`` are the shares of the pairs
of each class that fall in a level.
"""

import hashlib
from typing import Literal

import msgspec

from cauce.match.column import Column

FORM = 1
"""The version of this form; what is prepared and compared changes only with it."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of a comparison.

    ``sql`` reads the features of both records with the endings ``_l`` and ``_r``.
    ``tf`` names the feature whose frequency weighs an agreement, empty if none.
    """

    label: str
    sql: str
    m: float
    u: float
    h: float
    tf: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison: its levels, best first; ``missing`` is the SQL of pairs of which it can say nothing.

    ``personal`` says that relatives do not share it. ``own`` are the features that it judges;
    it may read others to see whether values are swapped.
    """

    name: str
    own: tuple[str, ...]
    personal: bool
    missing: str
    levels: tuple[Level, ...]


class Frequencies(msgspec.Struct, frozen=True, kw_only=True):
    """How often two strangers agree on a value: of the frequent values, and of ``other`` ones."""

    values: dict[str, float]
    other: float


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A blocking rule: pairs that agree on all ``keys`` are compared.

    ``pairs`` were counted when it was chosen.
    """

    keys: tuple[str, ...]
    pairs: int = 0


class Guards(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a chain of good pairs from making one big cluster.

    A cluster has at most ``size`` records, of whose pairs at least the share
    ``density`` weighs more than zero. ``one_to_one`` are the sources of which a
    cluster has one record at most.
    """

    size: int = 200
    density: float = 0.5
    one_to_one: tuple[str, ...] = ()


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model, whole: two runs with it over the same records give the same pairs.

    ``same`` and ``related`` are the shares of all pairs that are of one person and of
    two related ones. ``join`` and ``candidate`` are the weights (log2 of the odds)
    from which on records are joined, and pairs shown to a person.
    """

    form: Literal[1] = 1
    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]
    rules: tuple[Rule, ...]
    same: float
    related: float
    frequencies: dict[str, Frequencies] = {}
    join: float = -1.0
    candidate: float = -6.0
    guards: Guards = Guards()

    @property
    def hash(self) -> str:
        """The version: equal models have one, any change gives another."""
        data = msgspec.json.encode(msgspec.to_builtins(self), order="deterministic")
        return hashlib.sha256(data).hexdigest()[:16]
