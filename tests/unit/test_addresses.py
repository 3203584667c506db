"""The life of addresses: every fact from events in any order, and as of any moment."""

from itertools import permutations
from random import Random

import pytest

from cauce.identity.addresses import AddressFacts, Seen, Usage, address_facts
from cauce.vocabulary.address_events import NAMES, RECORDED, Act, AddressEvent, read_address_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Identifier
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import DAY, Moment

START = 1_780_000_000_000_000


def day(number: float) -> Moment:
    return Moment(int(START + number * DAY))


def seen(address: str, *, events: int = 1, first: float = 0, last: float = 1, type_: str = "email") -> Seen:
    return Seen(type_, address, events, day(first), day(last), ("web",))


def told(act: Act, address: str, at: float, *, new: str = "", soft: bool = False) -> AddressEvent:
    return AddressEvent(act, "email", address, new, day(at), day(at), f"{act}{at}", "mail", soft)


def facts(addresses: list[Seen], events: list[AddressEvent], at: float = 100) -> dict[str, AddressFacts]:
    """The facts by address; the order of the events changes nothing."""
    found = address_facts(addresses, events, at=day(at))
    for order in list(permutations(events))[:24]:
        assert address_facts(Random(1).sample(addresses, len(addresses)), order, at=day(at)) == found
    return {address: fact for (_, address), fact in found.items()}


def test_a_hard_bounce_is_death_until_a_sign_of_life():
    ann = [seen("ann@firm.example")]
    events = [told(Act.BOUNCED, "ann@firm.example", 5), told(Act.BOUNCED, "ann@firm.example", 9)]
    dead = facts(ann, events)["ann@firm.example"]
    assert dead.dead == day(5)
    assert dead.bounced == day(9)
    assert dead.undeliverable == ("dead",)
    assert facts(ann, events, at=4)["ann@firm.example"].deliverable
    alive = facts(ann, [*events, told(Act.CONFIRMED, "ann@firm.example", 10)])["ann@firm.example"]
    assert alive.dead is None
    assert alive.confirmed == day(10)
    assert alive.deliverable


@pytest.mark.parametrize(
    ("days", "life", "dead"),
    [((1, 2, 3), None, None), ((1, 4, 9), None, 9), ((1, 4, 9), 5, None), ((1, 9), None, None)],
)
def test_soft_bounces_kill_only_if_they_go_on(days, life, dead):
    events = [told(Act.BOUNCED, "a@b.example", one, soft=True) for one in days]
    if life:
        events.append(told(Act.DELIVERED, "a@b.example", life))
    found = facts([seen("a@b.example")], events)["a@b.example"]
    assert found.dead == (None if dead is None else day(dead))


def test_complaints_and_unsubscriptions_hold_until_she_subscribes_again():
    events = [told(Act.COMPLAINED, "a@b.example", 3), told(Act.UNSUBSCRIBED, "a@b.example", 3)]
    found = facts([seen("a@b.example")], events)["a@b.example"]
    assert (found.complained, found.unsubscribed) == (day(3), day(3))
    assert found.undeliverable == ("complained",)
    same = facts([seen("a@b.example")], [*events, told(Act.SUBSCRIBED, "a@b.example", 3)])["a@b.example"]
    assert same.unsubscribed == day(3)
    again = facts([seen("a@b.example")], [*events, told(Act.SUBSCRIBED, "a@b.example", 4)])["a@b.example"]
    assert again.unsubscribed is None
    assert again.deliverable


def test_a_changed_address_is_superseded_until_it_is_changed_back():
    both = [seen("old@firm.example"), seen("new@firm.example")]
    change = told(Act.CHANGED, "old@firm.example", 5, new="new@firm.example")
    found = facts(both, [change])
    assert found["old@firm.example"].superseded_by == "new@firm.example"
    assert found["old@firm.example"].superseded_at == day(5)
    assert found["new@firm.example"].superseded_by == ""
    back = told(Act.CHANGED, "new@firm.example", 8, new="old@firm.example")
    found = facts(both, [change, back])
    assert found["old@firm.example"].superseded_by == ""
    assert found["new@firm.example"].superseded_by == "old@firm.example"


def test_a_typing_error_is_the_address_that_stands_worse():
    wrong = seen("oskar@compnaya.example", first=3, last=3)
    right = seen("oskar@companya.example", first=3.1, last=3.1)
    found = facts([wrong, right], [])
    assert found["oskar@compnaya.example"].typo_of == "oskar@companya.example"
    assert found["oskar@compnaya.example"].undeliverable == ("typing error suspected",)
    assert found["oskar@companya.example"].deliverable
    confirmed = facts([wrong, right], [told(Act.CONFIRMED, "oskar@compnaya.example", 4)])
    assert confirmed["oskar@compnaya.example"].typo_of == ""
    assert confirmed["oskar@companya.example"].typo_of == "oskar@compnaya.example"
    assert facts([seen("ann@gmial.com")], [])["ann@gmial.com"].typo_of == "ann@gmail.com"


@pytest.mark.parametrize(
    ("old", "new"),
    [((0, 0), (700, 701)), ((0, 400), (400, 700)), ((0, 3), (3, 3))],
    ids=["years apart", "in use for a year", "in use for days"],
)
def test_another_address_of_a_similar_name_is_no_typing_error(old, new):
    """EM-01: greg@companyx and greg@companya are one stroke apart, and both are his."""
    companies = [
        seen("greg@companyx.example", first=old[0], last=old[1], events=2),
        seen("greg@companya.example", first=new[0], last=new[1], events=3),
    ]
    found = facts(companies, [], at=999)
    assert [fact.typo_of for fact in found.values()] == ["", ""]
    assert all(fact.deliverable for fact in found.values())


def test_an_address_that_she_gives_again_after_the_change_is_hers_again():
    both = [seen("old@firm.example")._replace(given=day(9)), seen("new@firm.example")]
    change = told(Act.CHANGED, "old@firm.example", 5, new="new@firm.example")
    assert facts(both, [change])["old@firm.example"].superseded_by == ""
    late = [both[0]._replace(given=day(5)), both[1]]
    assert facts(late, [change])["old@firm.example"].superseded_by == "new@firm.example"


@pytest.mark.parametrize(
    ("address", "usage", "reasons"),
    [
        ("ann@gmail.com", Usage.PERSONAL, ()),
        ("ann@firm.example", Usage.WORK, ()),
        ("ventas@firm.example", Usage.SHARED, ()),
        ("test@test.com", Usage.UNKNOWN, ("nobody's",)),
        ("ann", Usage.UNKNOWN, ("no address",)),
        ("ann@localhost", Usage.WORK, ("no address",)),
        ("ann@mailinator.com", Usage.WORK, ()),
    ],
)
def test_the_address_itself_says_what_it_is_for(address, usage, reasons):
    found = facts([seen(address)], [])[address]
    assert found.usage is usage
    assert found.undeliverable == reasons
    assert found.disposable is ("mailinator" in address)
    assert found.role is (usage is Usage.SHARED)


def test_phones_have_a_life_too():
    number = seen("+34600111222", type_="phone")
    bounced = told(Act.BOUNCED, "+34600111222", 2)._replace(type="phone")
    [found] = address_facts([number], [bounced], at=day(3)).values()
    assert found.undeliverable == ("dead",)


def entry(**properties: object) -> Entry:
    return Entry(day(1), day(1), "m", "mail", properties)


def test_every_name_is_read_with_the_usual_properties():
    ann = (Identifier("email", "ann@firm.example"), Identifier("phone", "+34600111222"))
    for name, meaning in NAMES.items():
        found = read_address_event(
            name,
            entry(new="x@y.example" if meaning.type == "email" else "+34700"),
            ann,
            DEFAULT_NORMALIZATION,
        )
        assert found is not None, name
        assert found.act is meaning.act
        own = "ann@firm.example" if meaning.type == "email" else "+34600111222"
        assert found.address == own
    assert "Email Opened" not in RECORDED
    assert ("bounce_type",) in RECORDED["Email Bounced"]


@pytest.mark.parametrize(
    ("name", "properties", "address", "new", "soft"),
    [
        ("Email Bounced", {"email": " Ann@Firm.example "}, "ann@firm.example", "", False),
        ("Email Bounced", {"email_address": "a@b.example", "bounce_type": "Soft"}, "a@b.example", "", True),
        ("Email Soft Bounced", {"email": "a@b.example"}, "a@b.example", "", True),
        ("Email Changed", {"old": "A@b.example", "new": "c@d.example"}, "a@b.example", "c@d.example", False),
        ("Email Changed", {"email": "c@d.example"}, "", "c@d.example", False),
        ("Phone Changed", {"from": "0034 600", "to": "+34 700"}, "+34600", "+34700", False),
    ],
)
def test_properties_name_the_address(name, properties, address, new, soft):
    found = read_address_event(name, entry(**properties), (), DEFAULT_NORMALIZATION)
    assert found is not None
    assert (found.address, found.new, found.soft) == (address, new, soft)


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Order Completed", {"email": "a@b.example"}),
        ("Email Bounced", {}),
        ("Email Bounced", {"email": 7}),
        ("Email Changed", {"old": "a@b.example"}),
        ("Email Changed", {"old": "a@b.example", "new": "A@b.example"}),
    ],
)
def test_what_names_no_address_tells_nothing(name, properties):
    assert read_address_event(name, entry(**properties), (), DEFAULT_NORMALIZATION) is None
