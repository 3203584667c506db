"""People as of a date, resolved from the log, are those of a space in which nothing came later."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.app.compose import Composition
from cauce.app.identity_then import graph_then
from cauce.eventlog.seal import seal
from cauce.identity.graph import Graph
from cauce.identity.why_graph import picture_of
from cauce.vocabulary.event import Accepted, Logged
from cauce.vocabulary.identifier import Identifier, parse_identifier
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_company import HISTORIES, START, Line, logged
from tests.property.small_space import applied, closed, defined, folded, space


def held(folder: Path, rows: Sequence[Logged]) -> Composition:
    """A space that has folded some rows, in their order."""
    folder.mkdir()
    composition = applied(space(folder), defined(), START)
    for row in rows:
        accepted = Accepted(
            message_id=row.message_id,
            time=row.time,
            call=row.call,
            name=row.name,
            source=row.source,
            body=row.body,
        )
        composition.log.append([accepted], [], now=row.received)
    return folded(composition, Moment(START + 1_000 * DAY))


def everybody(composition: Composition) -> dict[Identifier, frozenset[Identifier]]:
    with composition.state.read() as reader:
        keys = [whole.profile for whole in composition.identity.everybody(reader)]
        described = composition.identity.describe(reader, keys).values()
    return {one: frozenset(person.identifiers) for person in described for one in person.identifiers}


def person(graph: Graph, identifier: Identifier) -> frozenset[Identifier]:
    node = graph.nodes_by_key.get(str(identifier))
    return frozenset() if node is None or node.group is None else frozenset(graph.identifiers(node.group))


@settings(max_examples=max(8, settings.default.max_examples // 8))
@given(lines=HISTORIES, upto=st.integers(0, 16), sealed=st.booleans())
def test_people_as_of_a_date_are_those_of_a_space_where_nothing_came_later(
    lines: list[Line], upto: int, sealed: bool
) -> None:
    rows = logged(lines)
    then = rows[min(upto, len(rows)) - 1].received if upto else Moment(START - 1)
    with TemporaryDirectory() as name:
        whole = held(Path(name) / "whole", rows)
        early = held(Path(name) / "early", [row for row in rows if row.received <= then])
        if sealed:
            seal(whole.space.root, whole.log.head(), whole.normalization, rows_per_file=5)
        people = everybody(early)
        for identifier in people.keys() | everybody(whole).keys():
            graph = graph_then(whole, [identifier], then)
            assert person(graph, identifier) == people.get(identifier, frozenset())
            with early.state.read() as reader:
                assert picture_of(graph, identifier) == picture_of(early.identity.graph(reader), identifier)
        assert person(graph_then(whole, [_unknown()], then), _unknown()) == frozenset()
        closed(whole)
        closed(early)


def _unknown() -> Identifier:
    found = parse_identifier("user_id:unheard of")
    assert found is not None
    return found
