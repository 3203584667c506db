"""What a benchmark measured, beside its target and its floor."""

from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure.

    ``ratio`` compares it with ``floor``, measured in the same run; ``met`` says
    whether value and ratio reach what ``target`` asks for.
    """

    what: str
    value: float
    unit: str
    target: str
    met: bool
    ratio: float | None = None
    floor: str = ""
