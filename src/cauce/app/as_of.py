"""People as of a date, for those who ask seldom: DuckDB is loaded when they do."""

from collections.abc import Sequence
from importlib import import_module

from cauce.app.compose import Composition
from cauce.identity.graph import Graph
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment

_RESOLVING = "cauce.app.identity_then"


def graph_as_of(composition: Composition, identifiers: Sequence[Identifier], at: Moment) -> Graph:
    """The identifiers that events received until a moment connect with some, and their people.

    Raises ``Unsupported`` (too_connected) if that are too many.
    """
    found: Graph = import_module(_RESOLVING).graph_then(composition, identifiers, at)
    return found
