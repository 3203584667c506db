"""E-mail campaigns: what the mail system reports for each address that it writes to."""

from collections.abc import Mapping

from cauce.vocabulary.moment import HOUR, Moment
from demo.chronicle import Chronicle
from demo.names import CAMPAIGNS
from demo.people import Person, plain


def send_campaigns(chronicle: Chronicle, people: Mapping[int, Person]) -> None:
    """Write to every address of ``people`` once a week from its first sighting on.

    The mail system names an address by a subscriber key of its own. An address
    that does not reach anybody (a typing error, a job left) bounces once and is
    then left alone.
    """
    known: dict[str, tuple[Person, Moment]] = {}
    for record in sorted(chronicle.records, key=lambda record: (record.time, record.id)):
        person = people.get(record.person)
        if person is not None:
            for type_, value in record.identifiers():
                if type_ == "email" and value not in known:
                    known[value] = (person, record.time)
    for email, (person, since) in known.items():
        if chronicle.rng.random() < 0.8:
            _write_to(chronicle, person, email, since)


def _write_to(chronicle: Chronicle, person: Person, email: str, since: Moment) -> None:
    rng = chronicle.rng
    who = {"email": email, "cookie": f"sub-{person.number}-{plain(email)}"}
    for week in range(chronicle.days // 7):
        sent = chronicle.at(week * 7 + 3, 8)
        if sent < since:
            continue
        campaign = {"campaign": CAMPAIGNS[week % len(CAMPAIGNS)]}
        if not person.reached(email, sent):
            chronicle.track("mail", person, sent, "Email Bounced", campaign, **who)
            return
        chronicle.track("mail", person, sent, "Email Delivered", campaign, **who)
        if rng.random() < 0.4:
            opened = Moment(sent + rng.randrange(30 * HOUR // 1_000) * 1_000)
            chronicle.track("mail", person, opened, "Email Opened", campaign, **who)
            if rng.random() < 0.3:
                clicked = Moment(opened + 20_000_000)
                chronicle.track("mail", person, clicked, "Email Link Clicked", campaign, **who)
