"""The e-mail scenarios that deterministic rules solve, some of them by refusing to link."""

from demo.chronicle import Chronicle
from demo.lives import attend_webinar, crm_row
from demo.people import Crowd, Firm, Person
from demo.scenario import Kind, Scenario, group
from demo.visits import Visit

JUNK_KNOWN = "test@test.com"
"""Blocked by value."""

JUNK_UNKNOWN = "asdf@asdf.example"
"""On no list: only the number of its owners gives it away."""

ROLE = "info@lakeside.example"


def _visit(chronicle: Chronicle, person: Person, day: float, cookie: str = "", *, user_id: str = "") -> Visit:
    time = chronicle.day(day, 15)
    cookie = cookie or chronicle.identity()
    return Visit(chronicle=chronicle, person=person, time=time, cookie=cookie, user_id=user_id)


def preference_centre(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-03: Marta changes her address in the preference centre; one call carries both."""
    old, new = "marta@lindqvist-old.example", "marta.lindqvist@mail.example"
    marta = crowd.named("Marta", "Lindqvist", email=new)
    visit = _visit(chronicle, marta, 9).look(2)
    visit.track("Newsletter Subscribed", {"list": "news"}, email=old)
    visit = _visit(chronicle, marta, 58).look(1)
    chronicle.identify("web", marta, visit.wait(), {"email": new}, cookie=visit.cookie, email=old)
    visit.track("Email Address Changed", {"by": "preference centre"}, email=new)
    return Scenario(
        id="EM-03",
        title="One event carries both addresses",
        people=(marta.name,),
        expected=(group(f"email:{old}", f"email:{new}"),),
    )


def typing_error(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-04: Oskar types compnaya and then companya in the same session."""
    wrong, right = "oskar@compnaya.example", "oskar@companya.example"
    oskar = crowd.named("Oskar", "Brandt", email=right)
    oskar.firm = Firm("CompanyA", "companya.example")
    visit = _visit(chronicle, oskar, 33).look(2)
    visit.track("White Paper Downloaded", {"title": "Water and taste"}, email=wrong)
    visit.track("White Paper Downloaded", {"title": "Water and taste"}, email=right)
    return Scenario(
        id="EM-04",
        title="Typing error, then the right address, same session",
        people=(oskar.name,),
        expected=(group(f"email:{wrong}", f"email:{right}", f"anonymous_id:{visit.cookie}"),),
    )


def corrected_then_old_file(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-07: customer service corrects Petra's address; later an old CRM export is imported again."""
    wrong, right = "petra.novakova@mail.example", "petra.novotna@mail.example"
    petra = crowd.named("Petra", "Novotna", email=right, account=True)
    crm_row(chronicle, petra, chronicle.day(8, 9), crm_id="crm-em07", email=wrong)
    chronicle.identify("support", petra, chronicle.day(40, 12), {"email": right}, user_id=petra.user_id)
    visit = _visit(chronicle, petra, 52).look(1).sign_in()
    visit.order(visit.shop(add=1.0))
    return Scenario(
        id="EM-07",
        title="Corrected by customer service, then an old file again",
        people=(petra.name,),
        expected=(group(f"email:{wrong}", f"email:{right}", f"user_id:{petra.user_id}"),),
    )


def bouncing_address(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-08: Jonas changes jobs and his account's address; the old one bounces."""
    old, new = "jonas.wirth@firmeneu.example", "jonas.wirth@kaffeebund.example"
    jonas = crowd.named("Jonas", "Wirth", email=old, account=True)
    visit = _visit(chronicle, jonas, 5).look(1).sign_up()
    visit.order(visit.shop(add=1.0))
    jonas.email = new
    visit = _visit(chronicle, jonas, 44, visit.cookie).look(1).sign_in()
    visit.order(visit.shop(add=1.0))
    bounce = {"reason": "mailbox unavailable"}
    who = {"email": old, "cookie": "sub-em08"}
    chronicle.track("mail", jonas, chronicle.day(60, 8), "Email Bounced", bounce, **who)
    return Scenario(
        id="EM-08",
        title="Job change, the old address bounces",
        people=(jonas.name,),
        expected=(
            group(f"email:{old}", f"email:{new}", f"user_id:{jonas.user_id}", "anonymous_id:sub-em08"),
        ),
    )


def two_good_addresses(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-09: Amira uses a personal and a work address, both for good reason."""
    amira = crowd.named("Amira", "Haddad", account=True)
    amira.firm = Firm("Hazel Hotels", "hazelhotels.example")
    visit = _visit(chronicle, amira, 14).look(2).sign_up()
    visit.order(visit.shop(add=1.0))
    again = _visit(chronicle, amira, 37, visit.cookie, user_id=amira.user_id).look(1)
    again.track("White Paper Downloaded", {"title": "Coffee in the office"}, email=amira.work_email)
    attend_webinar(chronicle, amira, "W-02", email=amira.work_email, came=True)
    return Scenario(
        id="EM-09",
        title="Personal and work address, both good",
        people=(amira.name,),
        expected=(group(f"email:{amira.email}", f"email:{amira.work_email}", f"user_id:{amira.user_id}"),),
    )


def junk_addresses(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-10: five people type test@test.com, nine others asdf@asdf.example."""
    people: list[str] = []
    expected = [group(f"email:{JUNK_UNKNOWN}")]
    for first, last in (
        ("Bruno", "Alvim"),
        ("Carla", "Mendoza"),
        ("Dimitri", "Volkov"),
        ("Elif", "Kaya"),
        ("Farid", "Nasser"),
    ):
        person = crowd.named(first, last)
        visit = _visit(chronicle, person, 11 + 9 * len(people)).look(2)
        visit.track("White Paper Downloaded", {"title": "Coffee in the office"}, email=JUNK_KNOWN)
        people.append(person.name)
        expected.append(group(f"anonymous_id:{visit.cookie}"))
    for number in range(9):
        person = crowd.anybody(account=True)
        visit = _visit(chronicle, person, 6 + 8 * number).look(1).sign_up()
        visit.track("Newsletter Subscribed", {"list": "offers"}, email=JUNK_UNKNOWN)
        people.append(person.name)
        expected.append(group(f"user_id:{person.user_id}", f"email:{person.email}"))
    chronicle.declare(f"email:{JUNK_KNOWN}", Kind.NOBODY)
    chronicle.declare(f"email:{JUNK_UNKNOWN}", Kind.NOBODY)
    return Scenario(
        id="EM-10",
        title="Junk addresses used by many",
        people=tuple(people),
        expected=tuple(expected),
        absent=frozenset({f"email:{JUNK_KNOWN}"}),
    )


def role_address(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-11: three people of one company leave info@."""
    people: list[str] = []
    expected: list[frozenset[str]] = []
    for first, last in (("Gwen", "Harris"), ("Hugo", "Lefevre"), ("Iris", "Chen")):
        person = crowd.named(first, last)
        person.firm = Firm("Lakeside Hotel", "lakeside.example")
        day = 16 + 13 * len(people)
        visit = _visit(chronicle, person, day).look(2)
        visit.track("Demo Requested", {"people": 12}, email=ROLE, phone=person.phone)
        crm_row(chronicle, person, chronicle.day(day + 1, 9), crm_id=f"crm-em11-{len(people)}", email=ROLE)
        people.append(person.name)
        expected.append(group(f"phone:{person.phone}", f"crm_id:crm-em11-{len(people) - 1}"))
    chronicle.declare(f"email:{ROLE}", Kind.NOBODY)
    return Scenario(
        id="EM-11",
        title="Shared mailbox info@",
        people=tuple(people),
        expected=tuple(expected),
        absent=frozenset({f"email:{ROLE}"}),
    )


def two_rows_one_person(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-12: the CRM holds Kenji twice; then he signs up and writes from both addresses."""
    kenji = crowd.named("Kenji", "Morita", account=True)
    kenji.firm = Firm("Elm & Partners", "elmpartners.example")
    account, kenji.user_id = kenji.user_id, ""
    crm_row(chronicle, kenji, chronicle.day(10, 9), crm_id="crm-em12-a", email=kenji.work_email)
    crm_row(chronicle, kenji, chronicle.day(12, 9), crm_id="crm-em12-b", email=kenji.email, phone="")
    kenji.user_id = account
    visit = _visit(chronicle, kenji, 49).look(1).sign_up()
    visit.track("Demo Requested", {"people": 30}, email=kenji.work_email)
    return Scenario(
        id="EM-12",
        title="Two rows of a list turn out to be one person",
        people=(kenji.name,),
        expected=(group("crm_id:crm-em12-a", "crm_id:crm-em12-b", f"user_id:{account}"),),
    )


def several_addresses_one_key(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-14: Miguel signs in under one customer number with three addresses in turn."""
    addresses = ("miguel.santamaria@mail.example", "miguel@santamaria.example", "m.santamaria@duneco.example")
    miguel = crowd.named("Miguel", "Santamaria", account=True)
    for day, address in zip((7, 36, 77), addresses, strict=True):
        miguel.email = address
        visit = _visit(chronicle, miguel, day).look(1).sign_in()
        visit.order(visit.shop(add=1.0))
    return Scenario(
        id="EM-14",
        title="Several addresses and another key, as a policy",
        people=(miguel.name,),
        expected=(group(f"user_id:{miguel.user_id}", *(f"email:{address}" for address in addresses)),),
    )


STORIES = (
    preference_centre,
    typing_error,
    corrected_then_old_file,
    bouncing_address,
    two_good_addresses,
    junk_addresses,
    role_address,
    two_rows_one_person,
    several_addresses_one_key,
)
