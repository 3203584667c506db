"""Findings that single values give away: placeholders, role addresses, throw-away and mistyped domains."""

import re
from collections.abc import Iterator, Mapping

from cauce.identity.address_words import split_address
from cauce.identity.audit_evidence import is_email
from cauce.identity.audit_measures import Example, Measures
from cauce.identity.audit_model import Block, Change, Finding, FindingKind, TypeFigures
from cauce.identity.audit_types import EXAMPLES, MOST_BLOCKED
from cauce.identity.audit_values import Look
from cauce.identity.domain_typos import meant
from cauce.identity.rules import Blocked

_BY_EVENTS = """
SELECT id, coalesce(sum(events), 0)::BIGINT AS count FROM audit_identifier
LEFT JOIN audit_carried USING (id) LEFT JOIN audit_when USING (signature)
WHERE audit_identifier.rank = ? AND NOT blocked AND {condition} GROUP BY id
"""
_ALL = 10_000


def address_findings(measures: Measures, figures: Mapping[str, TypeFigures]) -> Iterator[Finding]:
    """What the values of each type give away."""
    for type_ in figures:
        rank = measures.types.index(type_)
        looks = measures.looks(rank)
        if looks.get(Look.PLACEHOLDER) or looks.get(Look.NUMBER):
            yield from _placeholders(measures, type_, rank)
        if looks.get(Look.ROLE):
            yield _roles(measures, type_, rank)
        if looks.get(Look.DISPOSABLE):
            yield _disposables(measures, type_, rank)
        if is_email(type_, None) or looks.get(Look.ROLE):
            yield from _typos(measures, type_, rank)


def _placeholders(measures: Measures, type_: str, rank: int) -> Iterator[Finding]:
    """Words and digits that stand for nothing; digits that may be a customer's number only if shared."""
    condition = (
        f"(look = '{Look.PLACEHOLDER}' OR (look = '{Look.NUMBER}' AND id IN "
        "(SELECT id FROM audit_owned WHERE owners > 1)))"
    )
    many = measures.choose(_BY_EVENTS.format(condition=condition), (rank,))
    if not many:
        return
    found = measures.examples(MOST_BLOCKED)
    yield Finding(
        kind=FindingKind.PLACEHOLDER,
        type=type_,
        people=measures.people(),
        values=many,
        says=f"Values of {type_} that are filled in where there is none: {many}.",
        rule="a word of the list in ten languages, one character repeated, digits that count up or down",
        examples=tuple(found[:EXAMPLES]),
        changes=tuple(Block(blocked=Blocked(type=type_, value=one.value)) for one in found),
    )


def _roles(measures: Measures, type_: str, rank: int) -> Finding:
    many = measures.choose(_BY_EVENTS.format(condition=f"look = '{Look.ROLE}'"), (rank,))
    found = measures.examples(_ALL)
    offices = _local_parts(found)
    shown = ", ".join(f"{name}@ {n}" for name, n in list(offices.items())[:10])
    return Finding(
        kind=FindingKind.ROLE,
        type=type_,
        people=measures.people(),
        values=many,
        says=f"Addresses of an office, a way to reach people and not who they are: {many} ({shown}).",
        rule="the local part is in the list of offices",
        figures={"local_parts": offices},
        examples=tuple(found[:EXAMPLES]),
        changes=(_block_local_parts(type_, sorted(offices)),),
    )


def _local_parts(found: list[Example]) -> dict[str, int]:
    """Office → number of addresses, most first."""
    counted: dict[str, int] = {}
    for one in found:
        office = split_address(one.value)[0].partition("+")[0]
        counted[office] = counted.get(office, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _block_local_parts(type_: str, offices: list[str]) -> Change:
    listed = "|".join(re.escape(office) for office in offices)
    return Block(blocked=Blocked(type=type_, regex=rf"({listed})(\+.*)?@.*"))


def _disposables(measures: Measures, type_: str, rank: int) -> Finding:
    """Throw-away addresses: no harm for identity unless strangers use the same one."""
    many = measures.choose(_BY_EVENTS.format(condition=f"look = '{Look.DISPOSABLE}'"), (rank,))
    people, found = measures.people(), measures.examples(EXAMPLES)
    shared = measures.choose(
        _BY_EVENTS.format(
            condition=f"look = '{Look.DISPOSABLE}' AND id IN (SELECT id FROM audit_owned WHERE owners > 1)"
        ),
        (rank,),
    )
    domains = sorted({split_address(one.value)[1] for one in measures.examples(_ALL)})
    return Finding(
        kind=FindingKind.DISPOSABLE,
        type=type_,
        people=people,
        values=many,
        says=f"Addresses of domains that give them to be thrown away: {many}; with several owners: {shared}.",
        rule="the domain is in the list of such domains",
        figures={"shared": shared},
        examples=tuple(found),
        changes=(_block_domains(type_, domains),) if domains else (),
    )


def _block_domains(type_: str, domains: list[str]) -> Change:
    listed = "|".join(re.escape(domain) for domain in domains)
    return Block(blocked=Blocked(type=type_, regex=rf".*@({listed})"))


def _typos(measures: Measures, type_: str, rank: int) -> Iterator[Finding]:
    """Domains a stroke or two away from one that people mean."""
    domains = measures.domains()
    slips = meant(domains)
    if not slips:
        return
    measures.table(
        "audit_slip",
        {"domain": list(slips), "meant": list(slips.values())},
        {"domain": "VARCHAR", "meant": "VARCHAR"},
    )
    condition = "domain IN (SELECT domain FROM audit_slip)"
    many = measures.choose(_BY_EVENTS.format(condition=condition), (rank,))
    if not many:
        return
    people, found = measures.people(), measures.examples(EXAMPLES)
    both = measures.both_addresses(rank)
    pairs = {f"{wrong} for {right}": domains[wrong] for wrong, right in slips.items()}
    shown = dict(sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:50])
    listed = ", ".join(list(shown)[:5])
    yield Finding(
        kind=FindingKind.TYPO,
        type=type_,
        people=people,
        values=many,
        says=f"Addresses with a domain that looks mistyped: {many} ({listed}). "
        f"Whose owner also has the address that is meant: {both}.",
        rule="one stroke (two from nine characters on) from a public provider, or from a domain of the data "
        "with 20 or more addresses and 20 times as many",
        figures={"domains": shown, "also_right": both},
        examples=tuple(found),
    )
