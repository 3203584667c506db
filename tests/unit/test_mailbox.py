"""Addresses as mail providers read them, where the identity view asks for it."""

import json

import pytest
from msgspec.structs import replace

from cauce.app.in_force import makes_other_people
from cauce.app.profile_view import view_profile
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.identifier import Normalization, normalize
from cauce.vocabulary.mailbox import PROVIDERS, mailbox
from cauce.vocabulary.moment import Moment
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

NOW = Moment(1_780_000_000_000_000)


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("Ann.B.Smith+news@GoogleMail.com", "annbsmith@gmail.com"),
        ("ann.smith+news@outlook.com", "ann.smith@outlook.com"),
        ("a_n-n.x+1@pm.me", "annx@proton.me"),
        ("ann@ya.ru", "ann@yandex.ru"),
        ("ann.smith+news@firm.example", "ann.smith+news@firm.example"),
        ("+news@gmail.com", "+news@gmail.com"),
        ("gmail.com", "gmail.com"),
        ("ann@x.gmail.com", "ann@x.gmail.com"),
    ],
)
def test_an_address_is_read_as_its_provider_reads_it(address, read):
    assert normalize("email", address, Normalization({"email": "mailbox"})) == read
    assert mailbox(read) == read
    assert normalize("email", address, Normalization({"email": "email"})) == address.lower()


def test_a_mailbox_is_read_alike_again():
    for provider in PROVIDERS.values():
        assert PROVIDERS[provider.domain] == provider


def identify(number: int, email: str) -> Accepted:
    body = {"type": "identify", "messageId": f"m{number}", "traits": {"email": email}}
    return Accepted(
        message_id=f"m{number}",
        time=NOW,
        call=Call.IDENTIFY,
        name="",
        source="web",
        body=json.dumps(body).encode(),
    )


def test_the_view_decides_and_changing_it_makes_other_people(tmp_path):
    composition = space(tmp_path)
    composition.log.append([identify(1, "ann.b@gmail.com"), identify(2, "annb+x@gmail.com")], [], now=NOW)
    plain = defined()
    composition = folded(applied(composition, plain, NOW), NOW)
    told = {"at": NOW, "purpose": OPERATIONS, "viewer": ANALYST}
    first, second = (
        view_profile(composition, f"email:{one}", **told) for one in ("ann.b@gmail.com", "annb+x@gmail.com")
    )
    assert first.profile.profile_id != second.profile.profile_id
    view = replace(plain.identities["person"], provider_addresses=True)
    asked = composition.with_definitions(replace(plain, identities={"person": view}), 2)
    with composition.state.read() as reader:
        assert makes_other_people(composition, asked, reader)
        assert not makes_other_people(composition, composition, reader)
    closed(composition)


def test_a_space_that_asks_for_it_joins_the_spellings(tmp_path):
    composition = space(tmp_path)
    composition.log.append([identify(1, "ann.b@gmail.com"), identify(2, "annb+x@gmail.com")], [], now=NOW)
    plain = defined()
    view = replace(plain.identities["person"], provider_addresses=True)
    composition = folded(applied(composition, replace(plain, identities={"person": view}), NOW), NOW)
    found = view_profile(composition, "email:Ann.B+any@gmail.com", at=NOW, purpose=OPERATIONS, viewer=ANALYST)
    assert [str(one) for one in found.profile.identifiers] == ["email:annb@gmail.com"]
    closed(composition)
