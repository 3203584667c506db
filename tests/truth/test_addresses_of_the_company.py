"""The life of the addresses of the generated company, as a profile shows them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cauce.app.compose import Composition
from cauce.app.profile_view import as_json, view_profile
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import Moment, parse_iso, to_iso
from demo.chronicle import FILE_SOURCES, Record
from demo.company import Company, generate
from demo.simulation import rules
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

UNTIL = parse_iso("2026-06-30T12:00:00Z")
COLUMNS = ("customer_no", "crm_id", "email", "phone")


def accepted(record: Record) -> Accepted:
    """A record as the log has it; the row of a file as the identify call that an import makes of it."""
    body: dict[str, Any] = dict(record.body)
    if record.source in FILE_SOURCES:
        traits = {name: value for name, value in body.items() if value and name in ("email", "phone")}
        body = {"type": "identify", "traits": traits}
        if record.body.get("customer_no"):
            body["userId"] = record.body["customer_no"]
    body["messageId"] = record.id
    return Accepted(
        message_id=record.id,
        time=record.time,
        call=Call(body["type"]),
        name=str(body.get("event", "")),
        source=record.source,
        body=json.dumps(body, default=str).encode(),
    )


@pytest.fixture(scope="module")
def company() -> Company:
    assert UNTIL is not None
    return generate(until=UNTIL, people=100)


@pytest.fixture(scope="module")
def shop(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    composition = space(tmp_path_factory.mktemp("shop"))
    composition.log.append([accepted(one) for one in company.records], [], now=company.until)
    composition = folded(applied(composition, defined(rules()), company.start), company.until)
    yield composition
    closed(composition)


def emails(record: Record) -> set[str]:
    return {one.value for one in record.identifiers() if one.type == "email"}


def addresses(shop: Composition, identifier: str, at: Moment) -> dict[str, dict[str, Any]]:
    view = view_profile(shop, identifier, at=at, purpose=OPERATIONS, viewer=ANALYST)
    return {one["address"]: one for one in as_json(view)["addresses"]}


def test_a_bounced_address_is_dead_and_the_new_one_is_not(shop: Composition, company: Company) -> None:
    found = addresses(shop, "email:jonas.wirth@firmeneu.example", company.until)
    old, new = found["jonas.wirth@firmeneu.example"], found["jonas.wirth@kaffeebund.example"]
    assert old["undeliverable"] == ["dead"]
    [bounce] = [
        r for r in company.records if r.body.get("event") == "Email Bounced" and "em08" in str(r.body)
    ]
    assert old["dead"] == to_iso(bounce.time)
    assert new["deliverable"]
    assert new["usage"] == "work"
    before = addresses(shop, "email:jonas.wirth@firmeneu.example", Moment(bounce.time - 1))
    assert before["jonas.wirth@firmeneu.example"]["deliverable"]


def test_a_changed_address_is_superseded_since_the_change(shop: Composition, company: Company) -> None:
    found = addresses(shop, "email:marta.lindqvist@mail.example", company.until)
    old = found["marta@lindqvist-old.example"]
    [change] = [
        record
        for record in company.records
        if record.body.get("type") == "identify" and {"marta@lindqvist-old.example"} < emails(record)
    ]
    assert (old["superseded_by"], old["superseded_at"]) == (
        "marta.lindqvist@mail.example",
        to_iso(change.time),
    )
    assert "superseded_by" not in found["marta.lindqvist@mail.example"]


def test_a_typing_error_is_suspected_of_the_first_of_two(shop: Composition, company: Company) -> None:
    found = addresses(shop, "email:oskar@companya.example", company.until)
    assert found["oskar@compnaya.example"]["typo_of"] == "oskar@companya.example"
    assert not found["oskar@compnaya.example"]["deliverable"]
    assert found["oskar@companya.example"]["deliverable"]


def test_personal_and_work_addresses_are_both_good(shop: Composition, company: Company) -> None:
    [amira] = [one for one in company.people if one.name == "Amira Haddad"]
    found = addresses(shop, f"user_id:{amira.user_id}", company.until)
    assert {address for address, one in found.items() if one["deliverable"]} == {
        amira.email,
        amira.work_email,
    }
