"""The audit finds what is known to be wrong in generated data, and nothing that is known to be right."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cauce.identity import default_rules, simulate
from cauce.identity.address_words import split_address
from cauce.identity.audit_model import FindingKind, Report
from cauce.identity.audit_proposal import propose
from cauce.identity.domain_typos import meant
from cauce.identity.rules import read_rules
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import DAY, Moment, parse_iso
from demo.company import Company, generate
from demo.mishaps import KIOSK
from demo.scenario import Kind
from demo.scoring import score
from demo.simulation import observations
from demo.within_reach import JUNK_UNKNOWN, ROLE
from tests.services.postgres import Place
from tests.truth.audited import Sighting, audited, only, values

UNTIL = parse_iso("2026-06-30T12:00:00Z")
DATA = Path(__file__).parents[3] / "shared/data"


@pytest.fixture(scope="module")
def company() -> Company:
    assert UNTIL is not None
    return generate(until=UNTIL, people=400)


def sightings(company: Company) -> list[Sighting]:
    found = (Sighting(one.identifiers(), one.time, one.source) for one in company.records)
    return [one for one in found if one.identifiers]


@pytest.fixture(scope="module")
def report(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("audit")
    store = SqliteRecords(folder / "state.db", STATE)
    yield audited(store, default_rules(), sightings(company), folder / "scratch")
    store.close()


def test_junk_is_what_is_nobodys(report: Report, company: Company) -> None:
    junk = only(report, FindingKind.JUNK, "email")
    assert values(junk) == {JUNK_UNKNOWN}
    assert junk.people == 9
    kiosk = only(report, FindingKind.JUNK, "anonymous_id")
    assert values(kiosk) == {KIOSK}
    for value in (f"email:{JUNK_UNKNOWN}", f"anonymous_id:{KIOSK}"):
        assert company.truth.identifiers[value].kind is Kind.NOBODY


def test_role_addresses_and_placeholders_are_named(report: Report) -> None:
    assert values(only(report, FindingKind.ROLE, "email")) == {ROLE}
    assert values(only(report, FindingKind.PLACEHOLDER, "email")) == {JUNK_UNKNOWN}


def test_every_mistyped_domain_belongs_to_whoever_has_the_one_meant(report: Report, company: Company) -> None:
    found = only(report, FindingKind.TYPO, "email")
    assert found.figures["also_right"] == found.values > 10
    owners = company.truth.identifiers
    for pair in found.figures["domains"]:
        wrong, right = pair.split(" for ")
        mistyped = [name for name in owners if name.endswith(f"@{wrong}")]
        assert mistyped
        for name in mistyped:
            local = split_address(name)[0]
            assert owners[name].owner == owners[f"{local}@{right}"].owner


def test_recycled_phones_changed_hands_and_family_tablets_are_shared(
    report: Report, company: Company
) -> None:
    recycled = values(only(report, FindingKind.DRIFT, "phone"))
    assert recycled == {
        name.partition(":")[2]
        for name, one in company.truth.identifiers.items()
        if name.startswith("phone:") and one.kind is Kind.SHARED
    }
    shared = only(report, FindingKind.SHARED, "anonymous_id")
    for value in values(shared):
        assert len(company.truth.identifiers[f"anonymous_id:{value}"].users) > 1


def test_a_type_that_the_rules_ignore_is_listed_by_what_it_is_like(report: Report) -> None:
    unlisted = only(report, FindingKind.UNLISTED, "crm_id")
    [change] = unlisted.changes
    assert change.rule.type == "crm_id"
    assert change.rule.limit == 1
    assert change.after == "user_id"


def test_findings_come_by_people_touched(report: Report) -> None:
    people = [one.people for one in report.findings]
    assert people == sorted(people, reverse=True)


def test_the_proposed_rules_are_valid_and_nearer_to_the_truth(report: Report, company: Company) -> None:
    proposal = propose(default_rules(), report.findings, shows_values=True)
    read_rules(proposal.rules)
    assert proposal.changes >= 5
    events = observations(company.records)
    before = score(company.truth, simulate(default_rules(), events))
    after = score(company.truth, simulate(proposal.rules, events))
    assert after.precision > before.precision
    assert after.knowable_recall > before.knowable_recall


def test_personal_values_are_not_proposed_where_the_purpose_shows_none(report: Report) -> None:
    proposal = propose(default_rules(), report.findings, shows_values=False)
    assert proposal.withheld == 1
    blocked = [one.get("value") for one in proposal.rules["blocked"]]
    assert blocked.count(JUNK_UNKNOWN) == 1  # by its word, which says nothing of anybody


def test_postgresql_says_the_same(report: Report, company: Company, postgres: Place, tmp_path: Path) -> None:
    store: Records = PostgresRecords(*postgres, STATE, durable=False)
    assert audited(store, default_rules(), sightings(company), tmp_path) == report
    store.close()


def invented(rng: Random, people: int) -> Iterator[Sighting]:
    """People with two addresses, a household phone for every fifth, and a few values that many fill in."""
    for number in range(people):
        ids = [
            Identifier("user_id", f"u{number}"),
            Identifier("email", f"person{number}@firm{number % 97}.example"),
        ]
        ids.append(Identifier("phone", f"+3460000{number // 5 if number % 5 < 2 else 50_000 + number:05d}"))
        yield Sighting(tuple(ids), Moment(number * DAY))
        junk = {0: "n.n@firm1.example", 1: "kunde@firm2.example"}.get(rng.randrange(40))
        if junk:
            yield Sighting((ids[0], Identifier("email", junk)), Moment(number * DAY + 1))


@pytest.mark.parametrize("seed", range(3))
def test_the_anomaly_is_told_from_households_whatever_the_words(tmp_path: Path, seed: int) -> None:
    store = SqliteRecords(tmp_path / "state.db", STATE)
    found = audited(store, default_rules(), invented(Random(seed), 800), tmp_path)
    store.close()
    assert values(only(found, FindingKind.JUNK, "email")) == {"n.n@firm1.example", "kunde@firm2.example"}
    assert not [one for one in found.findings if one.kind is FindingKind.JUNK and one.type == "phone"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not there")
def test_real_addresses_of_many_small_domains_are_not_taken_for_typing_errors() -> None:
    with (DATA / "fake_1000.csv").open(encoding="utf-8") as file:
        addresses = {row["email"].lower() for row in csv.DictReader(file) if row["email"]}
    domains: dict[str, int] = {}
    for address in addresses:
        domain = split_address(address)[1]
        domains[domain] = domains.get(domain, 0) + 1
    assert len(domains) > 200
    assert meant(domains) == {}
