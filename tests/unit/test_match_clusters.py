"""Clusters: chains, bridges, contradictions, sources, sizes, and any order of the pairs."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cauce.match.clusters import Links, clusters
from cauce.match.model import Guards

ABSENT = -6.0


def linked(weights: dict[tuple[int, int], float]) -> Links:
    pairs = sorted(weights)
    a, b = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return Links(a, b, np.array([weights[pair] for pair in pairs], dtype=np.float64), ABSENT)


def clique(members: list[int], weight: float) -> dict[tuple[int, int], float]:
    return dict.fromkeys(combinations(members, 2), weight)


def test_a_chain_makes_no_big_cluster() -> None:
    chain = {(record, record + 1): 9.0 for record in range(60)}
    found = clusters(61, linked(chain), 0.0, Guards())
    assert np.bincount(found).max() <= 3


def test_a_clique_is_one_cluster() -> None:
    assert clusters(7, linked(clique(list(range(6)), 3.0)), 0.0, Guards()).tolist() == [0, 0, 0, 0, 0, 0, 6]


def test_a_weak_bridge_is_not_built() -> None:
    weights = clique([0, 1, 2, 3], 8.0) | clique([4, 5, 6, 7], 8.0) | {(3, 4): 12.0}
    assert clusters(8, linked(weights), 0.0, Guards()).tolist() == [0, 0, 0, 0, 4, 4, 4, 4]


def test_two_weak_copies_meet_over_the_original() -> None:
    weights = {(0, 1): 12.0, (0, 2): 12.0, (1, 2): -3.0}
    assert clusters(3, linked(weights), 0.0, Guards()).tolist() == [0, 0, 0]


def test_what_must_stay_apart_does() -> None:
    weights = clique([0, 1, 2, 3], 12.0)
    found = clusters(4, linked(weights), 0.0, Guards(), apart=[(3, 0)])
    assert found[0] != found[3]


def test_one_record_of_each_source() -> None:
    weights = clique([0, 1, 2, 3], 5.0) | {(0, 1): 11.0, (2, 3): 11.0}
    sources = ["crm", "shop", "crm", "shop"]
    found = clusters(4, linked(weights), 0.0, Guards(one_to_one=("crm",)), sources=sources)
    assert found.tolist() == [0, 0, 2, 2]
    assert clusters(4, linked(weights), 0.0, Guards(), sources=sources).tolist() == [0, 0, 0, 0]


def test_size_and_density_are_bounds() -> None:
    weights = clique(list(range(9)), 4.0)
    assert np.bincount(clusters(9, linked(weights), 0.0, Guards(size=4))).max() == 4
    spread = {(0, 1): 12.0, (1, 2): 12.0, (0, 2): -5.0}
    assert np.bincount(clusters(3, linked(spread), 0.0, Guards(density=0.9))).max() == 2
    assert np.bincount(clusters(3, linked(spread), 0.0, Guards(density=0.5))).max() == 3


WEIGHTS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9))
    .map(sorted)
    .map(tuple)
    .filter(lambda pair: pair[0] < pair[1]),
    st.integers(-8, 15).map(float),
    max_size=30,
)


@given(WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_pairs_changes_nothing(weights: dict[tuple[int, int], float], draw: object) -> None:
    links = linked(weights)
    order = list(range(len(links.a)))
    draw.shuffle(order)  # type: ignore[attr-defined]
    turned = Links(links.a[order], links.b[order], links.weight[order], ABSENT)
    assert clusters(10, links, 0.0, Guards()).tolist() == clusters(10, turned, 0.0, Guards()).tolist()


@given(WEIGHTS)
def test_every_cluster_speaks_for_itself(weights: dict[tuple[int, int], float]) -> None:
    found = clusters(10, linked(weights), 0.0, Guards(density=0.0))
    assert all(found[label] == label for label in found)
    for label in set(found.tolist()):
        members = np.flatnonzero(found == label).tolist()
        inside = [min(weights.get(pair, ABSENT), 12.0) for pair in combinations(members, 2)]
        assert not inside or sum(inside) > 0
