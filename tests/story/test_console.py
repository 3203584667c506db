"""The console in a real Chromium: a person and her graph, review by hand, what-if, two languages."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from cauce.app.console.language import catalogue
from tests.clients.browser import Browser, executable
from tests.story.command import succeed
from tests.story.console_browser import Console
from tests.story.serving import Served, send, served, until

HOSTILE = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>{{ pwned = 3 }} ${4} {b|c}"
ONE, OTHER = "email:greg@companya.example", "user_id:greg"
_DASHED = ".graph path[stroke-dasharray][stroke='#c2543d']"


def event(user: str, cookie: str, **traits: str) -> dict[str, Any]:
    ids = {"userId": user} if user else {}
    return {"type": "identify", **ids, **({"anonymousId": cookie} if cookie else {}), "traits": traits}


EVENTS = [
    event("", "cookie-7", email="greg@companya.example", name="SMITHSON, Greg", note=HOSTILE),
    event("greg", "", email="greg@companyx.example", name="Greg Smithson", city="Springfield"),
    event("ann-1", "shared", email="ann@home.example", plan="gold"),
    event("ann-2", "shared", email="bea@home.example", plan="free"),
    event(HOSTILE, HOSTILE + "2", company=HOSTILE),
]


class Running(NamedTuple):
    served: Served
    keys: dict[str, str]
    space: Any
    browser: Browser

    def ask(self, path: str) -> Any:
        return httpx.get(
            f"{self.served.api}/api/v1/{path}",
            params={"purpose": "support"},
            headers={"Authorization": f"Bearer {self.keys['api_key']}"},
            timeout=30,
            trust_env=False,
        ).json()

    def profile(self, identifier: str) -> str:
        return str(self.ask(f"profiles/{identifier}").get("profile_id", ""))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = executable()
    if program is None:
        missing = "Chromium is missing: `make test` installs it"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    space = tmp_path_factory.mktemp("console") / "space"
    keys = succeed("init", space, "--json").json
    with served(space, CAUCE_CONSOLE__ENABLED="true") as now, Browser(program) as browser:
        made = Running(now, keys, space, browser)
        assert send(now.collector, keys["write_key"], *EVENTS).status_code == 200
        until(lambda: made.profile("user_id:ann-2"), "the fold")
        succeed("identity", "candidates", "--space", space)
        yield made
    assert now.process.returncode == 0
    assert {one["level"] for one in now.messages() if one["process"] == "console"} == {"info"}


@pytest.fixture
def console(running: Running) -> Iterator[Console]:
    with running.browser.page() as page:
        made = Console(page, running.served.console)
        made.sign_in(running.keys["api_key"])
        made.see("Write an identifier")
        yield made
        assert not [one for one in page.complaints() if "Security Policy" in one]
        assert page.told("Runtime.exceptionThrown") == []


def test_a_pair_is_accepted_undone_and_refused_by_keyboard(running: Running, console: Console) -> None:
    assert running.profile(ONE) != running.profile(OTHER)
    console.open("/review")
    console.see("Pair 1 of 1")
    [waiting] = running.ask("identity/review")["data"]
    assert {waiting["one"], waiting["other"]} == {ONE, OTHER}
    told = [[one["name"], ", ".join(one["one"]), ", ".join(one["other"])] for one in waiting["rows"]]
    assert told == [row[:3] for row in console.rows("The two records")]
    assert sum(one["weight"] for one in waiting["steps"]) == pytest.approx(waiting["weight"])
    rows = {row[0]: row[1:] for row in console.rows("The two records")}
    assert rows["name"] == ["SMITHSON, Greg", "Greg Smithson", "different"]
    assert rows["city"] == ["", "Springfield", "only one has it"]
    steps = console.rows("What each comparison adds")
    weight = float(console.text().partition("one: weight ")[2].split()[0])
    assert sum(float(one[1]) for one in steps) == pytest.approx(weight, abs=0.06 * len(steps))
    console.fill("main input", "the desk asked him")
    console.press("button", "They are one person")
    console.see("Nothing waits")
    assert running.ask("identity/review") == {"looked": True, "data": [], "has_more": False}
    assert running.profile(ONE) == running.profile(OTHER)
    [decided] = console.rows("Decided")
    assert decided[1:5] == ["one person", f"{ONE}, {OTHER}", "the desk asked him", "first"]
    console.press("button", "Undo")
    console.see("Pair 1 of 1")
    assert running.profile(ONE) != running.profile(OTHER)
    console.wait_for("document.activeElement.tagName === 'H2'", "the focus where reading goes on")
    console.press("button", "They are two people")
    console.see("Nothing waits")
    assert running.profile(ONE) != running.profile(OTHER)
    assert console.rows("Decided")[0][1] == "two people"
    console.press("button", "Undo")
    console.see("Pair 1 of 1")
    acts = succeed("identity", "acts", "--json", "--space", running.space).json
    assert [(one["op"], one["by"]) for one in acts] == [
        ("retract", "first"),
        ("never", "first"),
        ("retract", "first"),
        ("same", "first"),
    ]


def test_the_graph_shows_a_rejected_link_with_its_reason(console: Console) -> None:
    console.fill("[name=identifier]", "anonymous_id:shared")
    console.fill("[name=other]", "user_id:ann-2")
    console.press("button", "Look up")
    console.see("anonymous_id:shared and user_id:ann-2 are two people.")
    console.see("Golden record")
    reason = "the profile would have 2 values of user_id, and the limit is 1"
    rejected = console.rows("Links that do not hold")
    assert ["user_id:ann-2", "anonymous_id:shared", reason] in [one[:3] for one in rejected]
    chart = "getElement(+document.querySelector('.graph').id.slice(1)).chart"
    console.wait_for(f"{chart} && {chart}.getOption().series", "the chart")
    links = console.page.run(f"{chart}.getOption().series[0].links")
    dashed = [number for number, one in enumerate(links) if one["lineStyle"]["type"] == "dashed"]
    assert 0 < len(dashed) == len(rejected) < len(links)
    console.hover(_DASHED)
    console.wait_for(f"document.querySelector('.graph').textContent.includes('{reason}')", "the reason")
    console.open("/people?identifier=user_id:ann-1&as_of=2020-01-01")
    console.see("Nobody and nothing of that name was found.")
    console.open("/people?identifier=ann")
    console.see("What you wrote cannot be read.")


def test_hostile_values_are_shown_as_text(console: Console) -> None:
    for path in ("/review", f"/people?{httpx.QueryParams(identifier=f'user_id:{HOSTILE}')}"):
        console.open(path)
        console.wait_for(f"{_count(HOSTILE)} > 0", "the value as text")
        assert console.page.run("window.pwned") is None
        assert console.page.run("document.querySelectorAll('main img, main script').length") == 0


def _count(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    return f"[...document.querySelectorAll('td')].filter((e) => e.textContent.includes(`{escaped}`)).length"


def test_every_page_is_in_the_language_of_the_browser_or_the_chosen_one(
    running: Running, console: Console
) -> None:
    english = {one for one, spanish in catalogue("es").items() if isinstance(one, str) and one != spanish}
    with running.browser.page() as page:
        page.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
        page.open(f"{console.url}/sign-in")
        assert page.run("document.querySelector('h1').innerText") == "Iniciar sesión"
    console.press("a", "Español")
    console.see("Personas")
    for path, last in (
        ("/people", "para ver quién es"),
        ("/people?identifier=anonymous_id:shared&other=user_id:ann-2", "Registro maestro"),
        ("/people?identifier=email:nobody@x.example", "No se ha encontrado"),
        ("/review", "Son una sola persona"),
        ("/what-if", "La carpeta dice lo mismo"),
    ):
        console.open(path)
        console.see(last)
        assert not english & set(console.texts()), path
    assert console.page.run("document.documentElement.lang") == "es"
    assert "Conexión perdida" in console.page.run("document.body.textContent")
    console.press("a", "English")
    console.see("What the rules in the folder would make")


def test_a_wrong_key_is_refused_and_a_session_ends(running: Running, console: Console) -> None:
    with running.browser.page() as page:
        stranger = Console(page, running.served.console)
        stranger.open("/review")
        assert page.run("location.pathname") == "/sign-in"
        for wrong in ("cauce_api_wrong", running.keys["write_key"]):
            stranger.sign_in(wrong)
            stranger.see("This key is unknown or was revoked.")
    page = console.page
    assert page.run("document.cookie") == ""  # no script reads the session
    console.open("/review")
    console.see("Pair 1 of 1")
    assert running.keys["api_key"] not in page.run("document.documentElement.outerHTML")
    page.run("fetch('/sign-out', {method: 'POST'})")
    console.press("button", "They are one person")
    console.see("You are not signed in any more.")
    assert running.profile(ONE) != running.profile(OTHER)
    console.open("/people")
    assert page.run("location.pathname") == "/sign-in"
    log = running.served.log.read_text()
    for secret in (running.keys["api_key"], "greg@", "ann-1", "pwned"):
        assert secret not in log


def test_a_form_of_another_site_is_refused(running: Running) -> None:
    form = {"key": running.keys["api_key"], "purpose": "support"}
    url = f"{running.served.console}/sign-in"
    answer = httpx.post(url, data=form, headers={"Origin": "http://evil.example"}, trust_env=False)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    answer = httpx.post(url, data=form, trust_env=False)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303 and "httponly" in cookie and "samesite=strict" in cookie
    assert running.keys["api_key"] not in cookie
    assert httpx.post(url, data={**form, "purpose": "gossip"}, trust_env=False).status_code == 400
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_what_if_shows_whom_other_rules_would_join_and_why(running: Running, console: Console) -> None:
    rules = running.space / "definitions" / "identity" / "person.yaml"
    before = rules.read_text()
    assert "{type: user_id, limit: 1" in before
    rules.write_text(before.replace("{type: user_id, limit: 1", "{type: user_id, limit: 2"))
    try:
        console.open("/what-if")
        console.see("Who falls together, the largest first")
    finally:
        rules.write_text(before)
    people = int(console.page.run("document.querySelector('dd').innerText"))
    assert console.page.run("document.querySelectorAll('dd')[1].innerText") == str(people - 1)
    [merge] = console.rows("Who falls together, the largest first")
    assert "user_id:ann-1" in merge[2] and "user_id:ann-2" in merge[2]
    assert "anonymous_id:shared" in merge[3] and "web" in merge[3]
    [contradicting] = console.rows("Traits that contradict one another")
    assert "plan: " in contradicting[4]
    console.press("button", "Look again")
    console.see("The folder says the same as version 1")
