"""The chronicle: everything that happens in the demo, as the systems of the shop record it.

Four systems speak the tracking API (web, app, shop, mail, support) and two hand
over files (crm, webinar). A record keeps beside the recorded call the person who
really did it, which no system knows.
"""

import random
from typing import Any, NamedTuple

from cauce.vocabulary.event import Call, identifiers_of
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Identifier, normalize
from cauce.vocabulary.moment import DAY, HOUR, Moment, to_iso
from demo.load import uuid
from demo.people import Person
from demo.scenario import Kind

LIVE_SOURCES = ("web", "app", "shop", "mail", "support")
"""The systems that call the tracking API."""

FILE_SOURCES = ("crm", "webinar")
"""The systems that hand over files."""

MILLISECOND = 1_000

STORY_DAYS = 90

_FILE_IDENTIFIERS = (
    ("user_id", "customer_no"),
    ("crm_id", "crm_id"),
    ("email", "email"),
    ("phone", "phone"),
)


class Record(NamedTuple):
    """One thing that happened, as ``source`` recorded it.

    ``person`` is the number of the person it is really about. ``body`` is a call
    of the tracking API, or for a file source the columns of a row.
    """

    time: Moment
    source: str
    person: int
    id: str
    body: dict[str, Any]

    @property
    def event(self) -> str:
        """The event name as rules see it; ``identify`` and ``group`` calls give the call."""
        if self.source in FILE_SOURCES:
            return str(self.body.get("action", "identify"))
        if self.body["type"] == "page":
            return "Page Viewed"
        return str(self.body.get("event", self.body["type"]))

    def identifiers(self) -> tuple[Identifier, ...]:
        """The identifiers that the record carries, normalized."""
        if self.source not in FILE_SOURCES:
            return identifiers_of(self.body, Call(self.body["type"]), DEFAULT_NORMALIZATION)
        found = ((kind, self.body.get(column, "")) for kind, column in _FILE_IDENTIFIERS)
        return tuple(
            Identifier(kind, normalize(kind, value, DEFAULT_NORMALIZATION)) for kind, value in found if value
        )


class Chronicle:
    """Writes records; ``rng`` gives ids, ``start`` is the moment the first day begins."""

    def __init__(self, rng: random.Random, *, start: Moment, days: int) -> None:
        self.rng = rng
        self.start = start
        self.days = days
        self.end = Moment(start + days * DAY)
        self.records: list[Record] = []
        self.declared: dict[str, tuple[Kind, Person | None]] = {}

    def declare(self, identifier: str, kind: Kind, owner: Person | None = None) -> None:
        """State what an identifier (``type:value``) is in truth, where it is not one person's own."""
        self.declared[identifier] = (kind, owner)

    def at(self, day: float, hour: float = 0.0) -> Moment:
        """The moment of an hour of a day, the first day being 0, at a whole millisecond."""
        offset = round((day * DAY + hour * HOUR) / MILLISECOND) * MILLISECOND
        return Moment(self.start + offset)

    def day(self, number: float, hour: float) -> Moment:
        """The moment of an hour of a day of a story; stories are told over 90 days and shrink or stretch."""
        return self.at(number * self.days / STORY_DAYS, hour)

    def identity(self) -> str:
        """A fresh random id in the form of a UUID of version 4."""
        return uuid(self.rng)

    def track(
        self, source: str, person: Person, time: Moment, event: str, properties: dict[str, Any], **who: str
    ) -> None:
        """Somebody did something. ``who``: user_id, cookie, email, phone, device."""
        self._call(source, person, time, {"type": "track", "event": event, "properties": properties}, who)

    def page(self, person: Person, time: Moment, name: str, path: str, **who: str) -> None:
        """Somebody looked at a page of the web site."""
        properties = {"path": path, "url": f"https://www.shop.example{path}", "title": name}
        self._call("web", person, time, {"type": "page", "name": name, "properties": properties}, who)

    def identify(self, source: str, person: Person, time: Moment, traits: dict[str, Any], **who: str) -> None:
        """A system states who somebody is. An ``email`` in ``who`` is a second one, in the context."""
        self._call(source, person, time, {"type": "identify", "traits": traits}, who)

    def group(self, person: Person, time: Moment, **who: str) -> None:
        """A system states for which firm somebody works."""
        if person.firm:
            traits = {"name": person.firm.name, "website": f"https://{person.firm.domain}"}
            body = {"type": "group", "groupId": person.firm.domain, "traits": traits}
            self._call("shop", person, time, body, who)

    def row(self, source: str, person: Person, time: Moment, key: str, columns: dict[str, Any]) -> None:
        """A row of a file; ``key`` is what makes it this row and no other."""
        self._keep(Record(time, source, person.number, key, columns))

    def _call(
        self, source: str, person: Person, time: Moment, body: dict[str, Any], who: dict[str, str]
    ) -> None:
        key = self.identity()
        body["messageId"] = key
        body["timestamp"] = to_iso(time)
        if who.get("user_id"):
            body["userId"] = who["user_id"]
        if who.get("cookie"):
            body["anonymousId"] = who["cookie"]
        traits = {name: who[name] for name in ("email", "phone") if who.get(name)}
        context: dict[str, Any] = {"traits": traits} if traits else {}
        if who.get("device"):
            context["device"] = {"type": "android", "id": who["device"]}
        if context:
            body["context"] = context
        self._keep(Record(time, source, person.number, key, body))

    def _keep(self, record: Record) -> None:
        if record.time < self.end:
            self.records.append(record)
