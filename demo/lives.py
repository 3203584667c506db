"""Ordinary lives: shoppers, guests, readers and leads over the days of the demo."""

import random
from collections.abc import Iterator, Sequence

from cauce.vocabulary.moment import DAY, Moment
from demo.chronicle import STORY_DAYS, Chronicle
from demo.names import FIRMS, JOB_TITLES, PAPERS, WEBINARS
from demo.people import Crowd, Firm, Person, plain
from demo.scenario import Kind
from demo.visits import Visit

MINUTE = 60_000_000

SHARES = (("shopper", 60), ("guest", 10), ("reader", 14), ("lead", 16))
"""Of a hundred ordinary people, how many live which life."""


class Browser:
    """A browser of one person; it throws its cookie away every 25 to 70 days."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._expires = chronicle.start
        self.cookie = ""
        self.signed_in = False

    def cookie_at(self, time: Moment) -> str:
        """The cookie in use at a moment; call it with moments that never fall."""
        if time >= self._expires:
            self.cookie = self._chronicle.identity()
            self.signed_in = False
            self._expires = Moment(time + self._chronicle.rng.randint(25, 70) * DAY)
        return self.cookie


def ordinary_person(chronicle: Chronicle, crowd: Crowd) -> Person:
    """Draw a person and write down her life."""
    rng = chronicle.rng
    life = rng.choices([name for name, _ in SHARES], [share for _, share in SHARES])[0]
    person = crowd.anybody(account=life == "shopper", works=life == "lead")
    if life == "shopper":
        _shopper(chronicle, person)
    elif life == "guest":
        _guest(chronicle, person)
    elif life == "reader":
        _reader(chronicle, person)
    else:
        _lead(chronicle, person)
    return person


def _times(chronicle: Chronicle, fewest: int, most: int) -> Iterator[Moment]:
    """Moments of visits, in order, between morning and late evening."""
    rng = chronicle.rng
    count = max(1, rng.randint(fewest, most) * chronicle.days // STORY_DAYS)
    days = sorted(rng.randrange(chronicle.days) for _ in range(count))
    for number, day in enumerate(days):
        yield chronicle.at(day, 7 + 15 * (number + rng.random()) / count)


def _shopper(chronicle: Chronicle, person: Person) -> None:
    """Has an account, or opens one; signs in on most visits; buys now and then."""
    rng = chronicle.rng
    browsers = [Browser(chronicle) for _ in range(rng.choice((1, 1, 2)))]
    phone_app = chronicle.identity() if rng.random() < 0.3 else ""
    known = rng.random() < 0.5
    buyer = rng.random() < 0.75
    moves_mail = chronicle.at(chronicle.days * 0.6) if rng.random() < 0.12 else chronicle.end
    for time in _times(chronicle, 6, 14):
        if known and time > moves_mail:
            _change_address(chronicle, person, time)
            moves_mail = chronicle.end
        if known and phone_app and rng.random() < 0.3:
            _use_app(chronicle, person, time, phone_app)
            continue
        browser = rng.choice(browsers)
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=browser.cookie_at(time))
        if browser.signed_in:
            visit.user_id = person.user_id
        visit.look(rng.randint(1, 3))
        if not visit.user_id and rng.random() < 0.75:
            visit = visit.sign_in() if known else visit.sign_up()
            known = browser.signed_in = True
        _browse(visit, buys=buyer and bool(visit.user_id) and rng.random() < 0.4)
    if known:
        if rng.random() < 0.4:
            _crm_row(chronicle, person, day=chronicle.days * rng.choice((0.4, 0.7)), email=person.email)
        if rng.random() < 0.12:
            _ticket(chronicle, person, rng.randrange(chronicle.days))


def _change_address(chronicle: Chronicle, person: Person, time: Moment) -> None:
    """Tell the shop of a new private address; the old one keeps working for three more weeks."""
    person.addresses[person.email] = Moment(time + 21 * DAY)
    person.email = f"{plain(person.last)}{person.number}@newmail.example"
    person.addresses[person.email] = None
    chronicle.identify("shop", person, time, {"email": person.email}, user_id=person.user_id)


def _browse(visit: Visit, *, buys: bool) -> None:
    rng = visit.rng
    if rng.random() < 0.3:
        visit.search(rng.choice(("grinder", "decaf", "moka", "filters", "gift")))
    cart = visit.shop(add=0.9 if buys else 0.2)
    if buys and cart:
        phone = _written(rng, visit.person.phone) if rng.random() < 0.5 else ""
        order_id, revenue = visit.order(cart, phone=phone)
        if rng.random() < 0.1:
            visit.refund(order_id, revenue, days=rng.randint(3, 12))


def _use_app(chronicle: Chronicle, person: Person, time: Moment, device: str) -> None:
    """Use the phone app, which stays signed in; device id and installation id never change."""
    visit = Visit(
        chronicle=chronicle,
        person=person,
        time=time,
        cookie=f"app-{device[:13]}",
        user_id=person.user_id,
        source="app",
        device=device,
    )
    visit.track("Application Opened", {"version": "4.2"})
    visit.shop(add=0.2)


def share_tablets(chronicle: Chronicle, people: Sequence[Person]) -> None:
    """Every twelfth customer shares a tablet with the next one, and now and then nobody signs in."""
    rng = chronicle.rng
    customers = [person for person in people if person.user_id]
    for first, second in zip(customers[::12], customers[1::12], strict=False):
        tablet = chronicle.identity()
        for time in _times(chronicle, 6, 10):
            person = rng.choice((first, second))
            visit = Visit(chronicle=chronicle, person=person, time=time, cookie=tablet).look(2)
            if rng.random() < 0.7:
                visit.sign_in()
            _browse(visit, buys=bool(visit.user_id) and rng.random() < 0.3)
        chronicle.declare(f"anonymous_id:{tablet}", Kind.SHARED)


def _guest(chronicle: Chronicle, person: Person) -> None:
    """Has no account and buys with nothing but an e-mail address and sometimes a phone number."""
    rng = chronicle.rng
    browser = Browser(chronicle)
    for time in _times(chronicle, 2, 6):
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=browser.cookie_at(time))
        visit.look(rng.randint(1, 3))
        cart = visit.shop(add=0.8)
        if cart and rng.random() < 0.7:
            visit.order(cart, phone=_written(rng, person.phone) if rng.random() < 0.4 else "")


def _reader(chronicle: Chronicle, person: Person) -> None:
    """Reads guides; leaves an address for the newsletter, some with a typing error at first."""
    rng = chronicle.rng
    browser = Browser(chronicle)
    subscribed = False
    for time in _times(chronicle, 3, 8):
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=browser.cookie_at(time))
        visit.look(rng.randint(2, 5))
        if not subscribed and rng.random() < 0.7:
            if rng.random() < 0.3:
                visit.track("Newsletter Subscribed", {"list": "news"}, email=_mistyped(rng, person.email))
            visit.track("Newsletter Subscribed", {"list": "news"}, email=person.email)
            subscribed = True


def _lead(chronicle: Chronicle, person: Person) -> None:
    """Informs herself at work; the sales department keeps her in the CRM; one in ten changes jobs."""
    rng = chronicle.rng
    browser = Browser(chronicle)
    email = person.work_email
    asked = False
    chronicle.group(person, chronicle.at(0, 9), cookie=browser.cookie_at(chronicle.start), email=email)
    for time in _times(chronicle, 4, 10):
        visit = Visit(chronicle=chronicle, person=person, time=time, cookie=browser.cookie_at(time))
        visit.look(rng.randint(1, 4))
        if rng.random() < 0.35:
            visit.track("White Paper Downloaded", {"title": rng.choice(PAPERS)}, email=email)
        if not asked and rng.random() < 0.15:
            phone = _written(rng, person.phone)
            visit.track("Demo Requested", {"people": rng.randint(5, 80)}, email=email, phone=phone)
            asked = True
    for code, _title, _day in WEBINARS:
        if rng.random() < 0.4:
            attend_webinar(chronicle, person, code, email=email, came=rng.random() < 0.6)
    _crm_row(chronicle, person, day=chronicle.days * 0.4, email=email)
    if rng.random() < 0.4:
        person.job = rng.choice(JOB_TITLES)
        _crm_row(chronicle, person, day=chronicle.days * 0.6, email=email)
    if rng.random() < 0.15:
        _change_jobs(chronicle, person, day=chronicle.days * 0.8)


def _change_jobs(chronicle: Chronicle, person: Person, *, day: float) -> None:
    """Leave for another firm: the old work address dies, the CRM learns the new one."""
    person.addresses[person.work_email] = chronicle.at(day)
    others = [firm for firm in FIRMS if person.firm is None or firm[0] != person.firm.name]
    person.firm = Firm(*chronicle.rng.choice(others))
    person.addresses[person.work_email] = None
    _crm_row(chronicle, person, day=day + 2, email=person.work_email)


def _ticket(chronicle: Chronicle, person: Person, day: int) -> None:
    rng = chronicle.rng
    number = f"T-{rng.getrandbits(24):06x}"
    topic = {"ticket": number, "topic": rng.choice(("delivery", "invoice", "broken cup", "account"))}
    who = {"user_id": person.user_id, "email": person.email}
    opened = chronicle.at(day, 10)
    chronicle.track("support", person, opened, "Ticket Opened", topic, **who)
    answered = Moment(opened + rng.randint(1, 4) * DAY)
    chronicle.track("support", person, answered, "Ticket Solved", topic, **who)


def attend_webinar(
    chronicle: Chronicle, person: Person, code: str, *, email: str, came: bool, phone: str = ""
) -> None:
    """The lists of one webinar get a line for the registration and, if she came, one for that."""
    _, title, when = next(webinar for webinar in WEBINARS if webinar[0] == code)
    steps = [("Webinar Registered", chronicle.day(when - chronicle.rng.random() * 5 - 1, 11))]
    if came:
        steps.append(("Webinar Attended", chronicle.day(when, 11)))
    for action, time in steps:
        key = f"{code}-{plain(action)[7:10]}-{person.number}-{plain(email)[:12]}"
        columns = {
            "line_id": key,
            "action": action,
            "at": time,
            "webinar": code,
            "title": title,
            "name": person.name,
            "email": email,
            "phone": phone,
            "street": person.address.street,
            "postcode": person.address.postcode,
        }
        chronicle.row("webinar", person, time, key, columns)


def _crm_row(chronicle: Chronicle, person: Person, *, day: float, email: str) -> None:
    time = chronicle.at(day, 9 + chronicle.rng.random() * 8)
    crm_row(chronicle, person, time, crm_id=f"crm-{person.number:05d}", email=email)


def crm_row(
    chronicle: Chronicle, person: Person, time: Moment, *, crm_id: str, email: str, phone: str | None = None
) -> None:
    """The CRM holds a person under ``crm_id`` as she was known at ``time``."""
    columns = {
        "crm_id": crm_id,
        "customer_no": person.user_id,
        "first_name": person.first,
        "last_name": person.last,
        "email": email,
        "phone": _written(chronicle.rng, person.phone) if phone is None else phone,
        "company": person.firm.name if person.firm else "",
        "job_title": person.job,
        "street": person.address.street,
        "postcode": person.address.postcode,
        "town": person.address.town,
        "country": person.address.country,
        "modified_at": time,
    }
    chronicle.row("crm", person, time, f"{crm_id}@{(time - chronicle.start) // MINUTE}", columns)


def _written(rng: random.Random, phone: str) -> str:
    """One of the ways in which people write the same number."""
    digits = phone[1:]
    return rng.choice(
        (phone, f"00{digits}", f"+{digits[:2]} {digits[2:6]} {digits[6:]}", f"+{digits[:2]}-{digits[2:]}")
    )


def _mistyped(rng: random.Random, email: str) -> str:
    """The address with two neighbouring letters of its host swapped."""
    name, _, host = email.partition("@")
    place = rng.randrange(len(host.partition(".")[0]) - 1)
    swapped = host[:place] + host[place + 1] + host[place] + host[place + 2 :]
    if swapped == host:
        swapped = host.replace(".", "x.", 1)
    return f"{name}@{swapped}"
