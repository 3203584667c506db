"""Mishaps of daily life: shared devices, a kiosk, shared and recycled phones, somebody else's address."""

from demo.chronicle import Chronicle
from demo.lives import crm_row
from demo.people import Crowd, Person
from demo.scenario import Kind, Scenario, group
from demo.visits import Visit

KIOSK = "kiosk-valencia-1"


def family_tablet(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Two customers sign in on one tablet in turn; it belongs to whoever did so last."""
    noor = crowd.named("Noor", "Jansen", account=True)
    pieter = crowd.named("Pieter", "Jansen", account=True)
    tablet = chronicle.identity()
    for day, person in ((4, noor), (18, pieter), (31, noor), (46, pieter), (69, noor), (74, pieter)):
        visit = Visit(chronicle=chronicle, person=person, time=chronicle.day(day, 20), cookie=tablet)
        visit.look(2).sign_in()
        visit.order(visit.shop(add=1.0))
    chronicle.declare(f"anonymous_id:{tablet}", Kind.SHARED)
    return Scenario(
        id="X-01",
        title="Family tablet: belongs to whoever signed in last",
        people=(noor.name, pieter.name),
        expected=(
            group(f"user_id:{noor.user_id}", f"email:{noor.email}"),
            group(f"user_id:{pieter.user_id}", f"email:{pieter.email}", f"anonymous_id:{tablet}"),
        ),
    )


def tablet_without_accounts(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """A couple reads on one tablet and leaves two addresses: it looks like one person with two."""
    rosa, samuel = crowd.named("Rosa", "Vidaurre"), crowd.named("Samuel", "Vidaurre")
    tablet = chronicle.identity()
    for day, person in ((22, rosa), (39, samuel)):
        visit = Visit(chronicle=chronicle, person=person, time=chronicle.day(day, 21), cookie=tablet)
        visit.look(3).track("Newsletter Subscribed", {"list": "news"}, email=person.email)
    chronicle.declare(f"anonymous_id:{tablet}", Kind.SHARED)
    return Scenario(
        id="X-02",
        title="Couple on one tablet, e-mails only: wrongly one",
        people=(rosa.name, samuel.name),
        expected=(group(f"email:{rosa.email}", f"email:{samuel.email}", f"anonymous_id:{tablet}"),),
        knowable=False,
        why="the record is that of one person with two addresses (EM-09)",
    )


def shop_kiosk(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Fifteen customers sign in at the kiosk of the shop: too many owners, so it links nobody."""
    people: list[str] = []
    expected = [group(f"anonymous_id:{KIOSK}")]
    for number in range(15):
        person = crowd.anybody(account=True)
        time = chronicle.day(3 + 5 * number, 12)
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=KIOSK).sign_in()
        visit.order(visit.shop(add=1.0))
        people.append(person.name)
        expected.append(group(f"user_id:{person.user_id}", f"email:{person.email}"))
    chronicle.declare(f"anonymous_id:{KIOSK}", Kind.NOBODY)
    return Scenario(
        id="X-03", title="Kiosk in the shop, fifteen users", people=tuple(people), expected=tuple(expected)
    )


def somebody_elses_address(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Anna mistypes her address and hits Ana's; sign-ins and orders are trusted more than a form."""
    ana = crowd.named("Ana", "Costello", account=True)
    anna = crowd.named("Anna", "Costello", account=True)
    visit = Visit(chronicle=chronicle, person=ana, time=chronicle.day(13, 9), cookie=chronicle.identity())
    visit.look(1).sign_up()
    visit.order(visit.shop(add=1.0))
    visit = Visit(chronicle=chronicle, person=anna, time=chronicle.day(26, 9), cookie=chronicle.identity())
    visit.look(1).sign_up()
    visit.track("Newsletter Subscribed", {"list": "news"}, email=ana.email)
    visit.order(visit.shop(add=1.0))
    chronicle.declare(f"email:{ana.email}", Kind.MISTAKEN, ana)
    return Scenario(
        id="X-04",
        title="A typing error hits somebody else's address",
        people=(ana.name, anna.name),
        expected=(
            group(f"user_id:{ana.user_id}", f"email:{ana.email}"),
            group(f"user_id:{anna.user_id}", f"email:{anna.email}"),
        ),
    )


def customers_address(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Berta has no account, mistypes her address once and hits the one of a customer."""
    bertha = crowd.named("Bertha", "Lindgren", account=True)
    berta = crowd.named("Berta", "Lindgren")
    browser, other = chronicle.identity(), chronicle.identity()
    visit = Visit(chronicle=chronicle, person=bertha, time=chronicle.day(17, 9), cookie=browser)
    visit = visit.look(1).sign_up()
    visit.order(visit.shop(add=1.0))
    visit = Visit(chronicle=chronicle, person=berta, time=chronicle.day(52, 9), cookie=other).look(2)
    visit.track("Newsletter Subscribed", {"list": "news"}, email=bertha.email)
    visit.track("Newsletter Subscribed", {"list": "news"}, email=berta.email)
    chronicle.declare(f"email:{bertha.email}", Kind.MISTAKEN, bertha)
    return Scenario(
        id="X-07",
        title="A reader's typing error hits a customer: wrongly one",
        people=(bertha.name, berta.name),
        expected=(group(f"user_id:{bertha.user_id}", f"email:{bertha.email}", f"email:{berta.email}"),),
        knowable=False,
        why="the record is that of one customer with two addresses (EM-09)",
    )


def household_phone(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Two customers give the same landline; it belongs to whoever gave it last."""
    phone = "+442079460001"
    people = []
    for number, first in enumerate(("Una", "Vince")):
        person = crowd.named(first, "Okafor", account=True)
        time = chronicle.day(15 + 20 * number, 9)
        crm_row(chronicle, person, time, crm_id=f"crm-x05-{number}", email=person.email, phone=phone)
        people.append(person)
    return _phone_of_the_last(chronicle, "X-05", "Household with one landline", people, phone)


def recycled_phone(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """Tara gives up her number and the carrier hands it to Uwe; it belongs to him now."""
    tara = crowd.named("Tara", "Quinlan", account=True)
    uwe = crowd.named("Uwe", "Schmitz", account=True)
    for day, person in ((10, tara), (67, uwe)):
        time = chronicle.day(day, 18)
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=chronicle.identity())
        visit.look(1).sign_in()
        visit.order(visit.shop(add=1.0), phone=tara.phone)
    return _phone_of_the_last(chronicle, "X-06", "Recycled phone number", [tara, uwe], tara.phone)


def _phone_of_the_last(
    chronicle: Chronicle, key: str, title: str, people: list[Person], phone: str
) -> Scenario:
    first, last = people
    chronicle.declare(f"phone:{phone}", Kind.SHARED)
    return Scenario(
        id=key,
        title=f"{title}: belongs to whoever gave it last",
        people=(first.name, last.name),
        expected=(
            group(f"user_id:{first.user_id}", f"email:{first.email}"),
            group(f"user_id:{last.user_id}", f"email:{last.email}", f"phone:{phone}"),
        ),
    )


STORIES = (
    family_tablet,
    tablet_without_accounts,
    shop_kiosk,
    somebody_elses_address,
    household_phone,
    recycled_phone,
    customers_address,
)
