"""Why two are one person or two people: against the people there are, and every change simulated."""

import random
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.identity.graph import Graph
from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.simulate import Simulation
from cauce.identity.simulated import read_events
from cauce.identity.ties import ties_of
from cauce.identity.why import Why, explain
from cauce.identity.why_changes import Remedy, changes
from cauce.identity.why_words import Change, Reason, Verdict, sentence
from cauce.vocabulary.identifier import Identifier, parse_identifier
from tests.property.identity_worlds import random_history

World = tuple[dict[str, Any], list[dict[str, Any]], int]


def graph_of(rules: dict[str, Any], events: list[dict[str, Any]], cap: int) -> Graph:
    policy = Policy(read_rules(rules), max_links=cap)
    simulation = Simulation(policy)
    for event in read_events(policy, events):
        simulation.fold(event)
    graph: Graph = simulation._resolver.graph
    return graph


def together(graph: Graph, one: str, other: str) -> bool:
    groups = [node.group for key in (one, other) if (node := graph.nodes_by_key.get(key)) is not None]
    return len(groups) == 2 and groups[0] is not None and groups[0] is groups[1]


def identifier(text: str) -> Identifier:
    found = parse_identifier(text)
    assert found is not None
    return found


@settings(max_examples=4 * settings.default.max_examples)
@given(st.integers(0, 2**40))
def test_the_answer_is_that_of_the_people_and_every_change_does_what_it_says(seed: int) -> None:
    rng = random.Random(seed)
    rules, events, cap = random_history(rng)
    graph = graph_of(rules, events, cap)
    keys = sorted(key for key, node in graph.nodes_by_key.items() if node.counts or rng.random() < 0.1)
    for one, other in rng.sample(list(combinations(keys, 2)), min(6, len(keys) * (len(keys) - 1) // 2)):
        why, case = explain(graph, identifier(one), identifier(other), whole=True)
        assert sentence(why.said)
        if graph.nodes_by_key[one].group is None or graph.nodes_by_key[other].group is None:
            assert why.verdict is Verdict.NOBODY
        elif together(graph, one, other):
            check_chain(graph, why, one, other)
        else:
            check_obstacles(graph, why, one, other)
            remedies = changes(why, case, whole=True)
            for remedy in remedies:
                assert sentence(remedy.said)
                if remedy.works is not None:
                    check(remedy, (rules, events, cap), one, other)


def check_chain(graph: Graph, why: Why, one: str, other: str) -> None:
    """It leads from one to the other, and no other way through counting links has a better weakest link."""
    assert why.verdict is Verdict.ONE
    assert not why.obstacles
    assert [link.here for link in why.chain] == [one, *(link.there for link in why.chain[:-1])]
    assert why.chain[-1].there == other
    assert all(sentence(link.said) for link in why.chain)
    group = graph.nodes_by_key[one].group
    assert group is not None
    ties = sorted(
        (t for t in ties_of(graph, {group}, within=True).values() if t.counts), key=lambda t: t.rank
    )
    joined = {key: {key} for key in (graph.nodes[id_].key for id_ in group.ids())}
    if not graph.statements:  # by statements a chain may be shorter than what events alone would need
        weakest = None
        for tie in ties:
            merge(joined, tie.stronger.key, tie.weaker.key)
            if other in joined[one]:
                weakest = tie
                break
        assert weakest is not None
        assert {weakest.stronger.key, weakest.weaker.key} in [{link.here, link.there} for link in why.chain]


def merge(joined: dict[str, set[str]], one: str, other: str) -> None:
    both = joined[one] | joined[other]
    for key in both:
        joined[key] = both


def check_obstacles(graph: Graph, why: Why, one: str, other: str) -> None:
    ids = {graph.nodes_by_key[one].id, graph.nodes_by_key[other].id}
    if why.obstacles[0].said.key is Reason.UNSEEN:
        assert not any(ids.issubset(signature.ids()) for signature in graph.signatures.values())
    assert why.verdict is Verdict.TWO
    assert not why.chain
    assert why.obstacles
    for obstacle in why.obstacles:
        assert sentence(obstacle.said)
        values = obstacle.said.values
        if obstacle.said.key is Reason.LIMIT:
            assert values["count"] > values["limit"]
            assert not set(values["here"]) & set(values["there"])
        if obstacle.preferred is not None:
            assert sentence(obstacle.preferred)
            assert obstacle.against is not None


def check(remedy: Remedy, world: World, one: str, other: str) -> None:
    """The change, made: then they are one person or not, as was said."""
    rules, events, cap = world
    values = remedy.said.values
    match remedy.said.key:
        case Change.RAISE_LIMIT:
            kinds = [
                {**kind, "limit": values["limit"]} if kind["type"] == values["type"] else kind
                for kind in rules["identifiers"]
            ]
            rules = {**rules, "identifiers": kinds}
        case Change.RAISE_MAX_IDS:
            rules = {**rules, "max_ids_per_event": values["count"]}
        case Change.RETRACT:
            ends = {values["stronger"], values["weaker"]}
            named = [event["id"] for event in events if not event.get("op") and ends <= named_by(event)]
            assert named
            events = [*events, {"id": "retraction", "ts": 0, "op": "retract", "events": named}]
        case Change.STATE_SAME:
            ids: dict[str, list[str]] = {}
            for key in (one, other):
                type_, _, value = key.partition(":")
                ids.setdefault(type_, []).append(value)
            events = [*events, {"id": "same", "ts": 10**6, "op": "same", "ids": ids}]
        case _:
            raise AssertionError(remedy)
    assert together(graph_of(rules, events, cap), one, other) == remedy.works, remedy


def named_by(event: dict[str, Any]) -> set[str]:
    found = set()
    for type_, values in event["ids"].items():
        for value in values if isinstance(values, list) else [values]:
            found.add(f"{type_}:{value}")
    return found
