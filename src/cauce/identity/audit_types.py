"""Findings of one identifier type: who shares its values, who has many, what the rules do not know."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from cauce.identity.audit_anomaly import find_anomaly
from cauce.identity.audit_evidence import is_email, is_phone
from cauce.identity.audit_measures import Measures
from cauce.identity.audit_model import Block, Change, Finding, FindingKind, ListType, SetField, TypeFigures
from cauce.identity.policy import Policy
from cauce.identity.rules import Blocked, Conflict, Normalize, TypeRule

EXAMPLES = 5
"""How many values a finding shows."""

MOST_BLOCKED = 50
"""So many junk values are proposed to be blocked one by one; max_owners catches the others."""

FEWEST_PEOPLE = 30
"""Fewer people say nothing about how many values a person has."""

COVERED = 0.99
"""A limit should let so many of the people keep all their values."""

_MANY = 20


def owner_rank_of(measures: Measures, policy: Policy, rank: int) -> int | None:
    """The type whose values are the owners of a type's values; None if it was seen with no stronger one."""
    covers = measures.covers(rank)
    singles = {place: n for place, n in covers.items() if measures.types[place] in policy.singles}
    if singles:
        return max(singles, key=lambda place: (singles[place], -place))
    return min(covers, default=None)


def covering(histogram: Mapping[int, int]) -> int:
    """The smallest number of values that ``COVERED`` of the people do not exceed."""
    total, reached = sum(histogram.values()), 0
    for many in sorted(histogram):
        reached += histogram[many]
        if reached >= COVERED * total:
            return many
    return 0


def type_findings(measures: Measures, policy: Policy, figures: TypeFigures) -> Iterator[Finding]:
    """What is to be said of a type's values and their owners; marks junk, so that limits leave it out."""
    rank = measures.types.index(figures.type)
    if figures.owner_type:
        owner_rank = measures.types.index(figures.owner_type)
        threshold = yield from _anomalies(measures, policy, figures, rank, owner_rank)
        yield from _reuse(measures, policy, figures, rank, owner_rank, threshold)
    if not figures.listed:
        yield _unlisted(measures, figures, rank)


_OWNERS = "SELECT id, owners AS count FROM audit_owned WHERE rank = ? AND owner_rank = ? AND owners"


def _anomalies(
    measures: Measures, policy: Policy, figures: TypeFigures, rank: int, owner_rank: int
) -> Generator[Finding, None, int | None]:
    """Values with far more owners than the type explains; gives the number of owners from which on."""
    fit = find_anomaly(figures.owners)
    if fit.threshold is None:
        measures.choose(f"{_OWNERS} > 1", (rank, owner_rank))
        many = sum(n for owners, n in figures.owners.items() if owners > 1)
        yield Finding(
            kind=FindingKind.NO_IDENTIFIER,
            type=figures.type,
            people=measures.people(),
            values=many,
            says=f"Values of {figures.type} with several owners: {many} of {fit.values}, many with a lot. "
            "Sharing is its nature; it says little about who somebody is.",
            rule=fit.rule,
            examples=tuple(measures.examples(EXAMPLES)),
        )
        return None
    chosen = measures.choose(f"{_OWNERS} >= ?", (rank, owner_rank, fit.threshold))
    if not chosen:
        return fit.threshold
    people = measures.people()
    most = measures.examples(MOST_BLOCKED)
    yield Finding(
        kind=FindingKind.JUNK,
        type=figures.type,
        people=people,
        values=chosen,
        says=f"Values of {figures.type} with {fit.threshold} or more owners ({figures.owner_type}), more "
        f"than their distribution explains: {chosen} of {fit.values}; one has {most[0].counted}.",
        rule=fit.rule,
        figures={"threshold": fit.threshold, "most": most[0].counted, "q": round(fit.q, 6)},
        examples=tuple(most[:EXAMPLES]),
        changes=_against_junk(policy, figures.type, fit.threshold, [one.value for one in most]),
    )
    measures.mark_junk(rank, owner_rank, fit.threshold)
    return fit.threshold


def _against_junk(policy: Policy, type_: str, threshold: int, values: list[str]) -> tuple[Change, ...]:
    """Lower the fuse to below the anomalies; block addresses and phones, which are no devices, one by one."""
    changes: list[Change] = []
    rule = _rule(policy, type_)
    if rule is not None and (rule.max_owners is None or rule.max_owners >= threshold):
        changes.append(SetField(type=type_, field="max_owners", value=threshold - 1))
    if is_email(type_, rule) or is_phone(type_, rule):
        changes += [Block(blocked=Blocked(type=type_, value=value), personal=True) for value in values]
    return tuple(changes)


def _reuse(
    measures: Measures,
    policy: Policy,
    figures: TypeFigures,
    rank: int,
    owner_rank: int,
    threshold: int | None,
) -> Iterator[Finding]:
    """Values with several owners that are no anomaly: shared at one time, or handed on."""
    moved, shared = measures.hands(rank, owner_rank)
    below = "" if threshold is None else f" AND owners < {threshold}"
    for kind, many, how, condition in (
        (FindingKind.SHARED, shared, "in use by several owners at a time", "NOT moved"),
        (FindingKind.DRIFT, moved, "handed on from one owner to the next", "moved"),
    ):
        if not many:
            continue
        measures.choose(
            f"{_OWNERS} > 1{below} AND id IN (SELECT weak FROM audit_hands WHERE {condition})",
            (rank, owner_rank),
        )
        yield Finding(
            kind=kind,
            type=figures.type,
            people=measures.people(),
            values=many,
            says=f"Values of {figures.type} {how} ({figures.owner_type}): {many} of {figures.values}.",
            figures={"share": round(many / figures.values, 6)},
            examples=tuple(measures.examples(EXAMPLES)),
            changes=_to_the_newest(policy, figures.type) if kind is FindingKind.DRIFT else (),
        )


def _to_the_newest(policy: Policy, type_: str) -> tuple[Change, ...]:
    rule = _rule(policy, type_)
    if rule is None or rule.conflict is Conflict.NEWEST:
        return ()
    return (SetField(type=type_, field="conflict", value=Conflict.NEWEST),)


def _unlisted(measures: Measures, figures: TypeFigures, rank: int) -> Finding:
    """A type that events carry and the rules ignore: how it would be listed."""
    measures.choose("SELECT id, 1 AS count FROM audit_identifier WHERE rank = ? AND NOT blocked", (rank,))
    owned = sum(figures.owners.values())
    alone = figures.owners.get(1, 0)
    told = (
        f"; with one owner: {alone} of the {owned} that were seen with {figures.owner_type}" if owned else ""
    )
    return Finding(
        kind=FindingKind.UNLISTED,
        type=figures.type,
        people=measures.people(),
        values=figures.values,
        says=f"The rules do not list {figures.type}, so it links nobody. Values: {figures.values}, "
        f"in {figures.events} events{told}.",
        figures={"events": figures.events, "owned": owned, "one_owner": alone},
        examples=tuple(measures.examples(EXAMPLES)),
        changes=(_listed(figures),),
    )


def _listed(figures: TypeFigures) -> ListType:
    """A type with one owner a value and few values a person names people; any other is like a device."""
    owned, alone = sum(figures.owners.values()), figures.owners.get(1, 0)
    normalize = None
    if is_email(figures.type, None):
        normalize = Normalize.EMAIL
    elif is_phone(figures.type, None):
        normalize = Normalize.PHONE
    many = covering(figures.per_person)
    names_people = owned >= FEWEST_PEOPLE and alone >= COVERED * owned and 0 < many <= _MANY
    threshold = find_anomaly(figures.owners).threshold if owned else None
    most = _MANY if threshold is None else max(threshold - 1, 1)
    return ListType(
        rule=TypeRule(
            type=figures.type,
            limit=many if names_people else None,
            normalize=normalize,
            max_owners=most if owned else None,
        ),
        after=figures.owner_type if names_people else "",
    )


def limit_of(measures: Measures, policy: Policy, figures: TypeFigures) -> Iterator[Finding]:
    """How many values a person has, where the rules set no limit or one that is too low."""
    rule = _rule(policy, figures.type)
    if rule is None:
        return
    rank = measures.types.index(figures.type)
    of, histogram = _histogram(measures, figures, rank)
    people = sum(histogram.values())
    if people < FEWEST_PEOPLE:
        return
    limit = covering(histogram)
    over = sum(n for many, n in histogram.items() if many > (rule.limit or limit))
    too_low = rule.limit is not None and rule.limit < limit
    missing = rule.limit is None and limit <= _MANY and rule.type not in _devices(policy)
    loose = rule.limit is not None and rule.limit > limit
    if too_low or missing or loose or over:
        found = _limit_finding(measures, figures, rank, of, histogram, limit, over, set_it=too_low or missing)
        if found.people or found.changes:
            yield found


def _limit_finding(
    measures: Measures,
    figures: TypeFigures,
    rank: int,
    of: int,
    histogram: Mapping[int, int],
    limit: int,
    over: int,
    *,
    set_it: bool,
) -> Finding:
    people = sum(histogram.values())
    one = histogram.get(1, 0)
    upward = of > rank
    by, value = ("weak", "strong") if upward else ("strong", "weak")
    measures.choose(
        f"SELECT {by} AS id, count(*) AS count FROM audit_pair WHERE {by}_rank = ? AND {value}_rank = ? "
        "AND weak NOT IN (FROM audit_junk) AND strong NOT IN (FROM audit_junk) "
        "GROUP BY 1 HAVING count(*) > ?",
        (of, rank, limit),
    )
    figured: dict[str, Any] = {
        "people": people,
        "one": one,
        "covering": limit,
        "most": max(histogram),
        "over": over,
    }
    return Finding(
        kind=FindingKind.LIMIT,
        type=figures.type,
        people=measures.people(),
        values=figures.values,
        says=f"Of {people} values of {measures.types[of]}, {one} were seen with one value of {figures.type}; "
        f"a limit of {limit} covers {COVERED:.0%}, the most is {max(histogram)}.",
        rule=f"the smallest limit that {COVERED:.0%} do not exceed, of at least {FEWEST_PEOPLE}",
        figures=figured,
        examples=tuple(measures.examples(EXAMPLES)),
        changes=(SetField(type=figures.type, field="limit", value=limit),) if set_it else (),
    )


def _histogram(measures: Measures, figures: TypeFigures, rank: int) -> tuple[int, dict[int, int]]:
    """Number of values → number of people; of the strongest type: by the weaker type that tells most."""
    if figures.owner_type:
        owner = measures.types.index(figures.owner_type)
        return owner, measures.per_person(rank, owner)
    covered = measures.covered(rank)
    if not covered:
        return rank, {}
    best = min(covered)  # the strongest of the weaker ones: devices are shared, addresses less so
    return best, measures.owners(best, rank)


def _devices(policy: Policy) -> frozenset[str]:
    """Types of which a person has as many as she likes: those without a limit, at the end of the rules."""
    types = [rule.type for rule in policy.ruleset.identifiers]
    last = max((place for place, rule in enumerate(policy.ruleset.identifiers) if rule.limit), default=-1)
    return frozenset(types[last + 1 :]) if last >= 0 else frozenset()


def _rule(policy: Policy, type_: str) -> TypeRule | None:
    rank = policy.rank.get(type_)
    return None if rank is None else policy.ruleset.identifiers[rank]
