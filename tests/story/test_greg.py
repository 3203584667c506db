"""The first story: a webinar list of 2020, a cookie of 2022, a white paper with another address.

With the postal address Greg is known as an attendee on the web page. Without it nobody
knows, and nobody says that he never attended: it is unknown.
"""

from pathlib import Path
from typing import Any

import httpx

from tests.story.command import Ran, cauce, succeed
from tests.story.serving import Served, send, served, until

LIST = """\
email,first,last,street,zip,city,at
greg@companyx.example,Greg,Smithson,12 Main Street,12345,Springfield,2020-06-10T16:00:00Z
ann@companyx.example,Ann,Lee,3 High Street,54321,Shelbyville,2020-06-10T16:00:00Z
"""
PEOPLE = """\
owner: marketing@shop.example
source: webinar
call: {call}
time: at
{rest}
"""
CONTACTS = PEOPLE.format(
    call="identify",
    rest="traits: {email: email, firstName: first, lastName: last, address.street: street,"
    " address.postalCode: zip, address.city: city}\ncolumns: {zip: text}",
)
ATTENDED = PEOPLE.format(call="track", rest="event: Webinar Attended\ncontext: {traits.email: email}")
SEGMENTS = """\
- {key: attended, owner: m@shop.example, rule: "event('Webinar Attended').count() >= 1"}
- {key: never_attended, owner: m@shop.example, rule: "event('Webinar Attended').count() = 0"}
"""
SOURCE = "name: webinar\nowner: m@shop.example\nkind: file\n"
ADDRESS = "    - {type: postal_address, limit: 3, normalize: address, max_owners: 5}\n"

COOKIE = {"anonymousId": "cookie-7"}
FORM = {"email": "greg@companya.example", "name": "SMITHSON, Greg"}
HOME = {"street": "Main St. 12", "postalCode": "12345", "city": "springfield"}


class Shop:
    """A space that is served, asked as the shop's web page asks."""

    def __init__(self, root: Path, keys: dict[str, str], now: Served) -> None:
        self.root = root
        self._keys = keys
        self._now = now

    def send(self, *events: dict[str, Any]) -> None:
        assert send(self._now.collector, self._keys["write_key"], *events).status_code == 200
        self.folded()

    def folded(self) -> None:
        until(lambda: self.ask("positions")["lag"] == 0, "the fold")

    def ask(self, path: str) -> Any:
        answer = httpx.get(
            f"{self._now.api}/api/v1/{path}",
            params={"purpose": "operations"},
            headers={"Authorization": f"Bearer {self._keys['api_key']}"},
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def why(self, segment: str, identifier: str) -> Any:
        return self.ask(f"segments/{segment}/why/{identifier}")


def shop(tmp_path: Path, *, address: bool) -> tuple[Path, dict[str, str]]:
    root = tmp_path / "space"
    keys = succeed("init", root, "--json").json
    definitions = root / "definitions"
    (definitions / "sources" / "webinar.yaml").write_text(SOURCE)
    (definitions / "segments" / "webinar.yaml").write_text(SEGMENTS)
    if address:
        rules = definitions / "identity" / "person.yaml"
        phone = "    - {type: phone, limit: 3, normalize: phone, max_owners: 20}\n"
        assert phone in rules.read_text()
        rules.write_text(rules.read_text().replace(phone, phone + ADDRESS))
    return root, keys


def load(root: Path, tmp_path: Path, *, address: bool) -> None:
    """The list is a file: who they are, and that they came."""
    file = tmp_path / "webinar.csv"
    lines = [line.split(",") for line in LIST.splitlines()]
    without = [
        [cell if number not in (3, 4, 5) else "" for number, cell in enumerate(line)] for line in lines[1:]
    ]
    chosen = lines if address else [lines[0], *without]
    file.write_text("".join(",".join(line) + "\n" for line in chosen))
    for name, mapping in (("contacts", CONTACTS), ("attended", ATTENDED)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(mapping)
        done = succeed("import", file, "--mapping", path, "--space", root, "--json").json
        assert (done["accepted"], done["quarantined"]) == (2, 0)


def story(it: Shop, form: dict[str, Any]) -> None:
    it.folded()
    it.send({"type": "page", **COOKIE, "properties": {"path": "/papers"}})
    it.send(
        {"type": "identify", **COOKIE, "traits": form},
        {
            "type": "track",
            **COOKIE,
            "event": "White Paper Downloaded",
            "context": {"traits": {"email": form["email"]}},
        },
    )


def test_with_the_postal_address_he_is_seen_as_an_attendee_on_the_web_page(tmp_path):
    root, keys = shop(tmp_path, address=True)
    with served(root) as now:
        it = Shop(root, keys, now)
        load(root, tmp_path, address=True)
        story(it, FORM | {"address": HOME})
        profile = it.ask("profiles/anonymous_id:cookie-7")
        known = {f"{one['type']}:{one['value']}" for one in profile["identifiers"]}
        assert known == {
            "email:greg@companyx.example",
            "email:greg@companya.example",
            "anonymous_id:cookie-7",
            "postal_address:greg smithson;main st 12;12345;springfield",
        }
        assert "attended" in profile["segments"] and "never_attended" not in profile["segments"]
        assert it.why("attended", "anonymous_id:cookie-7")["answer"] == "yes"
        assert it.why("attended", "email:ann@companyx.example")["answer"] == "yes"


def test_candidates_are_looked_for_in_a_space_of_nobody_and_for_a_purpose(tmp_path):
    root, _ = shop(tmp_path, address=False)
    assert succeed("identity", "candidates", "--space", root, "--json").json["pairs"] == []
    assert (root / "match" / "candidates.json").stat().st_mode & 0o077 == 0
    refused = cauce("identity", "candidates", "--space", root, "--purpose", "gossip")
    assert refused.code == 6
    model = tmp_path / "model.yaml"
    model.write_text("columns: []\n")
    assert cauce("identity", "candidates", "--space", root, "--model", model).code == 2


def test_without_it_the_answer_is_unknown_and_never_no(tmp_path):
    root, keys = shop(tmp_path, address=False)
    with served(root) as now:
        it = Shop(root, keys, now)
        load(root, tmp_path, address=False)
        story(it, FORM)
        it.send(
            {"type": "identify", "userId": "bob", "traits": {"name": "Bob Poe", "email": "bob@home.example"}}
        )
        before = it.why("never_attended", "anonymous_id:cookie-7")
        assert (before["answer"], before["candidates"]) == (
            "yes",
            None,
        )  # nobody has looked for candidates yet
        found = succeed("identity", "candidates", "--space", root, "--json").json
        [pair] = found["pairs"]
        assert {pair["one"], pair["other"]} == {"email:greg@companyx.example", "email:greg@companya.example"}
        attendee = it.ask("profiles/email:greg@companyx.example")["profile_id"]
        for segment in ("attended", "never_attended"):
            for identifier in ("anonymous_id:cookie-7", "email:greg@companya.example"):
                why = it.why(segment, identifier)
                assert (why["answer"], why["candidates"]) == ("unknown", [attendee])
            assert it.why(segment, "email:ann@companyx.example")["candidates"] == []
        for known in ("email:ann@companyx.example", "email:greg@companyx.example"):
            assert it.why("attended", known)["answer"] == "yes"  # whoever else he may be, he did
        assert it.why("never_attended", "user_id:bob")["answer"] == "yes"
        assert it.why("attended", "user_id:bob")["answer"] == "no"
        doubts = it.ask("segments/never_attended/doubts")
        assert (doubts["unknown"], doubts["among_members"]) == (1, 1)
        assert doubts["data"][0]["candidates"] == [attendee]
        shown = succeed("segment", "doubts", "never_attended", "--space", root).out
        assert "Of 1 people it is unknown; 1 of them" in shown and attendee in shown
        told: Ran = succeed("segment", "why", "never_attended", "anonymous_id:cookie-7", "--space", root)
        assert "The answer is unknown" in told.out and attendee in told.out
        # the service desk learns that the two are one: the log-in has both addresses
        both = {"userId": "greg", "traits": {"email": "greg@companyx.example"}}
        it.send(
            {"type": "identify", **both}, {"type": "identify", "userId": "greg", **COOKIE, "traits": FORM}
        )
        assert it.why("attended", "anonymous_id:cookie-7")["answer"] == "yes"
        assert it.why("never_attended", "anonymous_id:cookie-7")["candidates"] == []
        assert it.ask("segments/never_attended/doubts")["unknown"] == 0
