"""The total order of links: which of two competing links is tried first (``identity.md`` section 3, 5).

Priority of the weaker end, strength of the source, time (newest or oldest by the
weaker end's type), priority of the stronger end, value of the stronger end, value
of the weaker end. A link is as good as its best observation.
"""

from typing import NamedTuple

from cauce.identity.graph import Node, Signature
from cauce.identity.policy import Policy

Rank = tuple[int, int, int, int, str, str]
"""The place of a link in the order; the smallest is tried first."""


class Grade(NamedTuple):
    """How good a signature's evidence is: by its strongest source, and that source's times.

    Smaller is better in every field: strength and last time are negated.
    """

    strength: int
    newest: int
    oldest: int


def grade(signature: Signature, policy: Policy) -> Grade:
    """The grade of a signature that has evidence."""
    sources = signature.evidence
    if len(sources) == 1:
        [(source, (_, first, last))] = sources.items()
        return Grade(-policy.strength.get(source, 0), -last, first)
    trust = {source: policy.strength.get(source, 0) for source in sources}
    best = max(trust.values())
    times = [sources[source] for source, strength in trust.items() if strength == best]
    return Grade(-best, -max(last for _, _, last in times), min(first for _, first, _ in times))


def ends(one: Node, other: Node) -> tuple[Node, Node]:
    """The stronger and the weaker of two identifiers."""
    if (one.rank, one.value) < (other.rank, other.value):
        return one, other
    return other, one


def evidence_of(weaker: Node, grade: Grade, policy: Policy) -> tuple[int, int]:
    """The part of a link's rank that evidence decides."""
    return grade.strength, grade.newest if policy.newest[weaker.rank] else grade.oldest


def rank_of(stronger: Node, weaker: Node, grade: Grade, policy: Policy) -> Rank:
    """The rank a signature gives to the link between two of its identifiers."""
    strength, time = evidence_of(weaker, grade, policy)
    return weaker.rank, strength, time, stronger.rank, stronger.value, weaker.value
