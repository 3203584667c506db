"""People as of a date: what the events received until then make of those around some identifiers.

That is what was known then, under the rules that are in force now. Only the log knows it, as
the state goes on; so all that events connect with the identifiers is read from its columns,
as far as it goes, and resolved anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import duckdb

from cauce.app.compose import Composition
from cauce.app.described import described_anew
from cauce.app.log_past import facts_of
from cauce.app.pipeline import LOG
from cauce.app.rebuild.derive import Resources
from cauce.eventlog.bulk import log_relation
from cauce.identity.facts import Facts
from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver
from cauce.vocabulary.errors import Unsupported
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier, parse_identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.statement import Op

MOST_SETS = 20_000
"""So many sets of identifiers that events carried may be connected, at the most."""

LARGE = 2_000
"""An identifier in more sets than these is not followed if it is shared: then its links do not count."""


class _Carried(NamedTuple):
    """What one source's events with the same identifiers say: how many, when first and last."""

    identifiers: tuple[str, ...]
    source: str
    events: int
    first: Moment
    last: Moment
    position: Position


def graph_then(composition: Composition, identifiers: Sequence[Identifier], at: Moment) -> Graph:
    """The identifiers that events received until a moment connect with some, and their people.

    Raises ``Unsupported`` (too_connected) if that are too many.
    """
    policy = composition.identity.policy
    with composition.state.read() as reader:
        folded = Position(reader.progress(LOG))
    with _events(composition, folded) as (lake, events):
        upto = _last(lake, events, at)
        stated = facts_of(composition.log, upto, composition.normalization)
        facts = Facts.gathered(policy, stated)
        consented = {key for one in stated if one.op in (Op.WITHDRAW, Op.GRANT) for key in one.keys}
        search = _Search(lake, events, policy, facts, sorted(consented), upto)
        search.reach(map(str, identifiers))
    graph = Graph(policy)
    graph.take_facts(facts)
    resolver = Resolver(graph, Names(composition.identity.view))
    for one in sorted(search.found, key=lambda carried: (carried.position, carried.source, carried.first)):
        _fold(resolver, one)
    for key in search.large:
        node = graph.nodes_by_key.get(key)
        if node is not None and node.cut != 0:
            raise _too_connected()
    return graph


def _last(lake: duckdb.DuckDBPyConnection, events: str, at: Moment) -> Position:
    """The last position received until a moment; 0 if there is none."""
    found = lake.execute(f"SELECT max(position) FROM {events} WHERE received <= {int(at)}").fetchone()
    return Position(found[0] or 0 if found else 0)


@contextmanager
def _events(composition: Composition, upto: Position) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A relation of all events with the identifiers that they carry under the definitions in force."""
    settings = composition.settings.rebuild
    resources = Resources(composition.space.scratch, f"{settings.memory_mb}MB", settings.threads)
    how = composition.normalization
    with (
        resources.lake() as lake,
        composition.log.snapshot(upto) as log,
        described_anew(log, how, resources.scratch) as anew,
        log_relation(lake, anew, how) as events,
    ):
        yield lake, events


class _Search:
    """Follows what events carried together, from some identifiers on, until nothing new is reached."""

    def __init__(
        self,
        lake: duckdb.DuckDBPyConnection,
        events: str,
        policy: Policy,
        facts: Facts,
        consented: list[str],
        upto: Position,
    ) -> None:
        self._lake = lake
        self._policy = policy
        self._statements = facts.statements
        self._consented = consented
        taken_back = "CREATE TEMPORARY TABLE taken_back AS SELECT unnest(?::VARCHAR[]) AS id"
        lake.execute(taken_back, [sorted(facts.retracted)])
        self._events = (
            f"(SELECT * FROM {events} WHERE position <= {int(upto)} AND len(identifiers) > 0"
            " AND message_id NOT IN (FROM taken_back))"
        )
        self.found: set[_Carried] = set()
        self.large: set[str] = set()

    def reach(self, keys: Iterable[str]) -> None:
        """Find all that is connected with some identifiers, by events that may link or by statements."""
        waiting, known = self._stated(keys), set[str]()
        while waiting:
            known |= waiting
            sets = self._sets(waiting)
            self.found |= sets
            if len(self.found) > MOST_SETS:
                raise _too_connected()
            linked = {key for carried in sets for key in self._linked(carried.identifiers, waiting)}
            waiting = self._stated(linked) - known

    def _stated(self, keys: Iterable[str]) -> set[str]:
        """The identifiers with those that are stated to be one with them."""
        found = set(keys)
        classes = (self._statements.of(key) for key in list(found))
        return found.union(*(one.members for one in classes if one is not None))

    def _sets(self, keys: set[str]) -> set[_Carried]:
        """What events with any of these carried; of what is in very many sets, only the earliest."""
        rows = self._carrying(keys, MOST_SETS + 1)
        if len(rows) <= MOST_SETS:
            return rows
        counts = self._lake.execute(
            f"""
            SELECT key FROM (SELECT unnest(identifiers) AS key, identifiers FROM {self._events}
              WHERE list_has_any(identifiers, ?)) WHERE list_contains(?, key)
            GROUP BY key HAVING count(DISTINCT identifiers) > {LARGE}
            """,
            [sorted(keys), sorted(keys)],
        ).fetchall()
        large = {key for (key,) in counts}
        self.large |= large
        rows = self._carrying(keys - large, MOST_SETS + 1) if keys - large else set()
        for key in large:
            rows |= self._carrying({key}, LARGE)
        return rows

    def _carrying(self, keys: set[str], limit: int) -> set[_Carried]:
        rows = self._lake.execute(
            f"""
            SELECT identifiers, source, count(*), min(time), max(time), min(position) AS earliest
            FROM {self._events} WHERE list_has_any(identifiers, ?)
            GROUP BY identifiers, source, CASE WHEN list_has_any(identifiers, ?::VARCHAR[]) THEN time END
            ORDER BY earliest LIMIT {limit}
            """,
            [sorted(keys), self._consented],
        ).fetchall()
        return {_Carried(tuple(identifiers), *rest) for identifiers, *rest in rows}

    def _linked(self, identifiers: Sequence[str], keys: set[str]) -> list[str]:
        """The identifiers that an event with these leads on to: none if it links nothing."""
        live = [key for key in dict.fromkeys(identifiers) if self._counts(key)]
        if self._policy.contradicts([key.partition(":")[0] for key in live]):
            return []
        return live if any(key in keys and key not in self.large for key in live) else []

    def _counts(self, key: str) -> bool:
        type_, _, value = key.partition(":")
        return self._policy.counts(type_, value)


def _fold(resolver: Resolver, carried: _Carried) -> None:
    """Fold the first and the last of some events, and count the others."""
    parsed = (parse_identifier(key) for key in carried.identifiers)
    identifiers = tuple(one for one in parsed if one is not None)
    times = [carried.first, carried.last] if carried.events > 1 else [carried.first]
    for time in times:
        resolver.observe(identifiers, time=time, source=carried.source, position=carried.position)
    number = resolver.signature(identifiers)
    assert number is not None
    signature = resolver.graph.signatures[number]
    more = carried.events - len(times)
    signature.sources[carried.source][0] += more
    # Where consent decides, all of these happened at one moment: it lets all of them count, or none.
    if signature.allowed is not None and resolver.graph.consents.allow(carried.identifiers, carried.first):
        signature.allowed[carried.source][0] += more


def _too_connected() -> Unsupported:
    return Unsupported(
        "Too many identifiers are connected with these to resolve them as of a date.",
        hint="Ask about identifiers with fewer events; `cauce identity audit` shows values that many share.",
        code="too_connected",
    )
