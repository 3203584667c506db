"""Postal addresses become identifiers: two ways of writing one are one, two houses are two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.vocabulary.event import Call, identifiers_of
from cauce.vocabulary.identifier import Identifier, Normalization
from cauce.vocabulary.postal_address import address_identifiers, normal_address

GREG = {"firstName": "Greg", "lastName": "Smith", "address": {
    "street": "Main Street 12 b", "postalCode": "EC1A 1BB", "city": "St. Albans"}}  # fmt: skip

BOTH = {"postal_address": "address", "household_address": "address"}


def address_identifier(traits):
    return dict(address_identifiers(traits, BOTH))["postal_address"]


@pytest.mark.parametrize(
    "traits",
    [
        {"name": "SMITH, Greg", "street": "12b Main St.", "zip": "ec1a1bb", "city": "Saint Albans"},
        {"first_name": "Grég", "last_name": "Smith", "street": "main street", "number": "12-B",
         "post_code": "EC1A-1BB", "town": "ST ALBANS"},
        {"name": "Greg J. Smith", "address": {
            "line1": "Main St 12 B", "postcode": "EC1A 1BB", "place": "St Albans"}},
    ],
)  # fmt: skip
def test_one_address_written_in_many_ways(traits):
    assert (
        address_identifier(traits) == address_identifier(GREG) == "greg smith;main st 12b;ec1a1bb;st albans"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"firstName": "Ann"},
        {"address": {**GREG["address"], "street": "Main Street 12"}},
        {"address": {**GREG["address"], "street": "Main Street 12 b, flat 2"}},
        {"address": {**GREG["address"], "street": "High Street 12 b"}},
        {"address": {**GREG["address"], "postalCode": "EC1A 1BC"}},
        {"address": {**GREG["address"], "city": "London"}},
    ],
)
def test_another_name_house_or_place_is_another(change):
    other = address_identifier({**GREG, **change})
    assert other and other != address_identifier(GREG)


@pytest.mark.parametrize("missing", ["street", "postalCode", "city"])
def test_half_an_address_is_none(missing):
    half = {key: value for key, value in GREG["address"].items() if key != missing}
    assert address_identifier({**GREG, "address": half}) == ""
    assert address_identifier({**GREG, "address": {**GREG["address"], "street": "Main Street"}}) == ""
    assert address_identifier({"address": GREG["address"]}) == ""
    assert address_identifier({**GREG, "address": [1]}) == ""


@given(st.text(max_size=40))
def test_a_normal_form_is_its_own(text):
    for type_, one in (
        ("postal_address", f"{text};{text} 7;{text};{text}"),
        ("household_address", f"{text} 7;{text};{text}"),
        ("postal_address", text),
    ):
        normal = normal_address(type_, one)
        assert normal_address(type_, normal) == normal


def test_a_household_has_no_name():
    assert dict(address_identifiers(GREG, BOTH))["household_address"] == "main st 12b;ec1a1bb;st albans"
    nameless = {"address": GREG["address"]}
    assert dict(address_identifiers(nameless, BOTH)) == {
        "postal_address": "", "household_address": "main st 12b;ec1a1bb;st albans"
    }  # fmt: skip
    assert normal_address("postal_address", "Main St 12 b;EC1A 1BB;St Albans") == ""
    assert address_identifiers(GREG, {"household_address": "lower"}) == []


def test_events_carry_it_only_where_the_rules_ask_for_it():
    asked = Normalization({"postal_address": "address"})
    expected = Identifier("postal_address", address_identifier(GREG))
    assert expected in identifiers_of({"traits": GREG}, Call.IDENTIFY, asked)
    assert expected in identifiers_of({"context": {"traits": GREG}}, Call.TRACK, asked)
    split = {"traits": {"address": GREG["address"]}, "context": {"traits": {"name": "Greg Smith"}}}
    assert expected in identifiers_of(split, Call.IDENTIFY, asked)
    assert identifiers_of({"traits": GREG}, Call.TRACK, asked) == ()
    assert identifiers_of({"traits": GREG}, Call.IDENTIFY, Normalization({"email": "email"})) == ()
