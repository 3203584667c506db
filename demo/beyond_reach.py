"""The e-mail scenarios that no deterministic rule can solve: no record connects the addresses."""

from demo.chronicle import Chronicle
from demo.lives import attend_webinar, crm_row
from demo.people import Crowd, Firm, Person
from demo.scenario import Scenario, group
from demo.visits import Visit


def _visit(chronicle: Chronicle, person: Person, day: float, cookie: str) -> Visit:
    return Visit(chronicle=chronicle, person=person, time=chronicle.day(day, 10), cookie=cookie)


def base_story(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-01: Greg attends a webinar at CompanyX, moves to CompanyA and downloads a paper there."""
    old, new = "greg@companyx.example", "greg@companya.example"
    greg = crowd.named("Greg", "Archer", email=new)
    greg.firm = Firm("CompanyX", "companyx.example")
    attend_webinar(chronicle, greg, "W-01", email=old, came=True)
    greg.firm = Firm("CompanyA", "companya.example")
    cookie = chronicle.identity()
    for day in (55, 61, 66):
        _visit(chronicle, greg, day, cookie).look(3)
    visit = _visit(chronicle, greg, 72, cookie).look(2)
    visit.track("White Paper Downloaded", {"title": "Coffee in the office"}, email=new)
    _visit(chronicle, greg, 80, cookie).look(2)
    return Scenario(
        id="EM-01",
        title="Base story: new employer, only e-mails",
        people=(greg.name,),
        expected=(group(f"email:{old}"), group(f"email:{new}", f"anonymous_id:{cookie}")),
        knowable=False,
        why="no event carries both addresses; only the name is alike",
    )


def same_postal_address(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-02: the webinar list and the CRM hold the same name and street under two addresses."""
    listed, known = "helena.duran@alba-press.example", "helena@duran-studio.example"
    helena = crowd.named("Helena", "Duran", email=known)
    attend_webinar(chronicle, helena, "W-02", email=listed, came=True)
    helena.firm = Firm("Duran Studio", "duran-studio.example")
    crm_row(chronicle, helena, chronicle.day(50, 9), crm_id="crm-em02", email=known)
    return Scenario(
        id="EM-02",
        title="Same postal address and name in two lists",
        people=(helena.name,),
        expected=(group(f"email:{listed}"), group(f"email:{known}", "crm_id:crm-em02")),
        knowable=False,
        why="a postal address is no identifier: likeness needs a probabilistic rule",
    )


def new_address_format(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-05: a company changes jsmith@ to john.smith@; one of three keeps a browser that shows it."""
    host = "paperworks.example"
    staff = (("Nadia", "Petrova", False), ("Tom", "Walsh", False), ("Ines", "Duarte", True))
    people: list[str] = []
    expected: list[frozenset[str]] = []
    for first, last, keeps_browser in staff:
        old, new = f"{first[0]}{last}@{host}".lower(), f"{first}.{last}@{host}".lower()
        person = crowd.named(first, last, email=new)
        person.firm = Firm("Paperworks", host)
        cookie = chronicle.identity()
        visit = _visit(chronicle, person, 20, cookie).look(2)
        visit.track("White Paper Downloaded", {"title": "Water and taste"}, email=old)
        cookie = cookie if keeps_browser else chronicle.identity()
        visit = _visit(chronicle, person, 64, cookie).look(2)
        visit.track("White Paper Downloaded", {"title": "The cost of a bad cup"}, email=new)
        people.append(person.name)
        pair = (f"email:{old}", f"email:{new}")
        expected.extend([group(*pair)] if keeps_browser else [group(one) for one in pair])
    return Scenario(
        id="EM-05",
        title="Company changes the format of its addresses",
        people=tuple(people),
        expected=tuple(expected),
        knowable=False,
        why="only Ines kept a browser that saw both; the pattern of a domain is no identifier",
    )


def renamed_company(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-06: OldCo becomes NewCo and every address changes its domain."""
    people: list[str] = []
    expected: list[frozenset[str]] = []
    for first, last in (("Liam", "Keane"), ("Sofia", "Rossi"), ("Viktor", "Hale")):
        old, new = f"{first}.{last}@oldco.example".lower(), f"{first}.{last}@newco.example".lower()
        person = crowd.named(first, last, email=new)
        person.firm = Firm("OldCo", "oldco.example")
        attend_webinar(chronicle, person, "W-01", email=old, came=True)
        person.firm = Firm("NewCo", "newco.example")
        attend_webinar(chronicle, person, "W-03", email=new, came=True)
        people.append(person.name)
        expected.extend((group(f"email:{old}"), group(f"email:{new}")))
    return Scenario(
        id="EM-06",
        title="Company renamed: oldco becomes newco",
        people=tuple(people),
        expected=tuple(expected),
        knowable=False,
        why="nothing recorded says that the two domains are one company",
    )


def never_attended(chronicle: Chronicle, crowd: Crowd) -> Scenario:
    """EM-13: Lucia attended under her old address; her customer record says that she never did."""
    old = "l.ferri@bancaverde.example"
    lucia = crowd.named("Lucia", "Ferri", account=True)
    attend_webinar(chronicle, lucia, "W-01", email=old, came=True)
    cookie = chronicle.identity()
    visit = _visit(chronicle, lucia, 48, cookie).look(2).sign_up()
    visit.order(visit.shop(add=1.0))
    return Scenario(
        id="EM-13",
        title="Attended is known, never attended is not",
        people=(lucia.name,),
        expected=(group(f"email:{old}"), group(f"user_id:{lucia.user_id}", f"email:{lucia.email}")),
        knowable=False,
        why="her customer record cannot know of the other address: 'never' should be 'unknown'",
    )


STORIES = (base_story, same_postal_address, new_address_format, renamed_company, never_attended)
