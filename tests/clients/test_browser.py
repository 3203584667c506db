"""``@segment/analytics-next``, unmodified, in a real Chromium, on pages of another origin."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cauce.app.space import TEMPLATE
from cauce.identity.simulate import simulate
from cauce.vocabulary.event import Logged, read_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from tests.clients.browser import Browser, Page, Refused, executable, sdk_folder
from tests.clients.collector_process import RunningCollector
from tests.clients.hostile_proxy import MISFORTUNES, HostileProxy
from tests.clients.site_server import SiteServer

SECONDS = 30
READY = "new Promise((done) => window.analytics.ready(() => done(true)))"
BATCHING = {"Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 600_000}}}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = executable()
    if program is None or not sdk_folder().is_dir():
        missing = "Chromium or the browser SDK is missing: `make test` installs them"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with Browser(program) as running:
        yield running


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    settings = {"CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder())}
    with RunningCollector(tmp_path_factory.mktemp("browser") / "space", settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as made:
        yield made


@pytest.fixture
def site(collector: RunningCollector) -> Iterator[SiteServer]:
    with SiteServer(collector.url, collector.key) as running:
        yield running


def arrived(collector: RunningCollector, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[Any]:
    """The bodies of what was logged, once that is as wanted."""
    deadline = time.monotonic() + SECONDS
    while not wanted(bodies := [json.loads(event.body) for event in collector.logged()]):
        assert time.monotonic() < deadline, [body.get("event", body["type"]) for body in bodies]
        time.sleep(0.05)
    return bodies


def named(bodies: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [body for body in bodies if body.get("event") == event]


CALLS = """(async () => {
  const made = [
    analytics.page('Shop', 'Home', {n: %(n)d}),
    analytics.track('Product Viewed', {n: %(n)d, note: 'ñandú 🦤'}),
    analytics.identify('ann', {email: 'ann@example.org', visits: %(n)d}),
    analytics.group('acme', {name: 'Acme'}),
    analytics.alias('ann', 'browser-before'),
    analytics.screen('Phone', 'Home', {n: %(n)d})]
  return (await Promise.all(made)).map((context) => context.event.messageId)
})()"""
KINDS = ("page", "track", "identify", "group", "alias", "screen")
ROUNDS = 4


@pytest.mark.parametrize("strategy", [{}, BATCHING], ids=["one by one", "batches"])
@pytest.mark.parametrize("hostile", [False, True], ids=["straight", "hostile"])
def test_every_call_arrives_once(
    tmp_path: Path, page: Page, browser: Browser, hostile: bool, strategy: dict[str, Any]
) -> None:
    collector = RunningCollector(tmp_path / "space", {"CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder())})
    with HostileProxy(collector.port, seed=5, misfortunes=14 if hostile else 0) as proxy:
        collector.settings["CAUCE_COLLECTOR__PUBLIC_URL"] = proxy.url
        options = {"integrations": strategy | {"Segment.io": QUICK} if strategy else {}}
        with collector, SiteServer(collector.url, collector.key, options=options) as site:
            page.open(site.url)
            page.run(READY)
            sent: list[str] = []
            deadline = time.monotonic() + SECONDS
            while len(sent) < ROUNDS * len(KINDS) or (hostile and len(proxy.happened) <= len(MISFORTUNES)):
                assert time.monotonic() < deadline, proxy.happened
                sent += page.run(CALLS % {"n": len(sent)})
            assert len(set(sent)) == len(sent)
            while acknowledged(page) < set(sent):  # so that whatever is sent again has been sent again
                assert time.monotonic() < deadline, proxy.happened
            logged = collector.logged()
            assert Counter(event.message_id for event in logged) == Counter(sent)
            each = len(sent) // len(KINDS)
            assert Counter(event.call.value for event in logged) == dict.fromkeys(KINDS, each)
            assert collector.reasons() == []


QUICK = {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 50, "size": 2}}}


def acknowledged(page: Page) -> set[str]:
    """The message ids in requests that were answered 200."""
    good = {
        one["requestId"] for one in page.told("Network.responseReceived") if one["response"]["status"] == 200
    }
    found = set()
    for one in page.told("Network.requestWillBeSent"):
        if one["requestId"] in good and one["request"]["method"] == "POST":
            body = json.loads(one["request"]["postData"])
            found |= {event["messageId"] for event in body.get("batch", [body])}
    return found


def test_what_a_page_says(collector: RunningCollector, site: SiteServer, page: Page) -> None:
    page.open(f"{site.url}/shoes?utm_source=letter&utm_campaign=spring")
    page.run(READY)
    page.run("analytics.track('Shoes Seen', {price: 12.5})")
    bodies = arrived(collector, lambda all_: bool(named(all_, "Shoes Seen")))
    (seen,) = named(bodies, "Shoes Seen")
    assert seen["context"]["page"]["path"] == "/shoes"
    assert seen["context"]["campaign"] == {"source": "letter", "name": "spring"}
    assert "device" not in seen["context"]
    assert collector.key not in json.dumps(seen)
    (event,) = (one for one in collector.logged() if one.message_id == seen["messageId"])
    assert [one.type for one in read_event(event, DEFAULT_NORMALIZATION).identifiers] == ["anonymous_id"]


def people(logged: list[Logged]) -> list[list[str]]:
    """Who these events' people are, by the rules of a new space."""
    rules = yaml.safe_load((TEMPLATE / "identity/person.yaml").read_text())["rules"]
    events = []
    for row in logged:
        ids: dict[str, list[str]] = {}
        for type_, value in read_event(row, DEFAULT_NORMALIZATION).identifiers:
            ids.setdefault(type_, []).append(value)
        events.append({"id": row.message_id, "ts": row.time / 1e6, "source": row.source, "ids": ids})
    return sorted(simulate(rules, events).values())


def test_reset_makes_somebody_else(browser: Browser, page: Page, tmp_path: Path) -> None:
    settings = {"CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder())}
    with (
        RunningCollector(tmp_path / "space", settings) as collector,
        SiteServer(collector.url, collector.key) as site,
    ):
        page.open(site.url)
        page.run(READY)
        first, second = page.run(
            """(async () => {
              await analytics.identify('ann', {email: 'ann@example.org'})
              await analytics.track('Signed In')
              const first = analytics.user().anonymousId()
              await analytics.reset()
              await analytics.track('Looked Around')
              await analytics.identify('bob', {email: 'bob@example.org'})
              return [first, analytics.user().anonymousId()]
            })()"""
        )
        assert first != second
        arrived(collector, lambda bodies: len(bodies) == 4)
        ann = [f"anonymous_id:{first}", "email:ann@example.org", "user_id:ann"]
        bob = [f"anonymous_id:{second}", "email:bob@example.org", "user_id:bob"]
        assert people(collector.logged()) == sorted([ann, bob])


def test_another_user_without_reset_is_somebody_else_too(page: Page, site: SiteServer) -> None:
    page.open(site.url)
    page.run(READY)
    anonymous = page.run(
        """(async () => {
          await analytics.identify('cyd')
          const before = analytics.user().anonymousId()
          await analytics.identify('dan')
          return [before, analytics.user().anonymousId()]
        })()"""
    )
    assert len(set(anonymous)) == 2


def test_what_happened_offline_is_sent_online(
    collector: RunningCollector, site: SiteServer, page: Page
) -> None:
    page.open(site.url)
    page.run(READY)
    page.offline(True)
    message_id = page.run("analytics.track('Went Offline').then((context) => context.event.messageId)")
    assert named([json.loads(event.body) for event in collector.logged()], "Went Offline") == []
    page.offline(False)
    (body,) = named(arrived(collector, lambda all_: bool(named(all_, "Went Offline"))), "Went Offline")
    assert body["messageId"] == message_id


@pytest.mark.parametrize("strategy", [{}, BATCHING], ids=["one by one", "batches"])
def test_the_last_event_outlives_its_page(
    collector: RunningCollector, page: Page, strategy: dict[str, Any]
) -> None:
    name = f"Left {len(strategy)}"
    with SiteServer(collector.url, collector.key, options={"integrations": strategy}) as site:
        page.open(site.url)
        page.run(READY)
        page.run(f"analytics.track('{name}'), setTimeout(() => location.assign('about:blank'), 0), 1")
        arrived(collector, lambda bodies: len(named(bodies, name)) == 1)


def test_a_beacon(collector: RunningCollector, site: SiteServer, page: Page) -> None:
    page.open(site.url)
    body = {"writeKey": collector.key, "event": "Beacon Sent", "anonymousId": "b", "type": "track"}
    for kind in ("body", "new Blob([body], {type: 'text/plain'})"):
        script = f"(() => {{ const body = {json.dumps(json.dumps(body))}; "
        assert page.run(script + f"return navigator.sendBeacon('{collector.url}/v1/t', {kind}) }})()")
    arrived(collector, lambda bodies: len(named(bodies, "Beacon Sent")) == 2)


def test_a_strict_content_security_policy(collector: RunningCollector, page: Page) -> None:
    policy = f"default-src 'none'; script-src 'nonce-n'; connect-src {collector.url}; img-src 'self'"
    with SiteServer(collector.url, collector.key, csp=policy) as site:
        page.open(site.url)
        page.run(READY)
        page.run("analytics.track('Strictly Sent')")
        arrived(collector, lambda bodies: len(named(bodies, "Strictly Sent")) == 1)
    assert page.complaints() == []


def test_parts_of_the_script_come_from_the_collector(
    collector: RunningCollector, site: SiteServer, page: Page
) -> None:
    page.open(f"{site.url}/?ajs_event=Letter+Opened&ajs_uid=eve")
    (body,) = named(arrived(collector, lambda all_: bool(named(all_, "Letter Opened"))), "Letter Opened")
    assert body["userId"] == "eve"
    fetched = [one["request"]["url"] for one in page.told("Network.requestWillBeSent")]
    assert any(url.startswith(f"{collector.url}/analytics-next/bundles/") for url in fetched)
    assert {url.split("/")[2] for url in fetched} <= {collector.url[7:], site.url[7:]}


def test_a_page_sees_what_the_collector_cost_it(
    collector: RunningCollector, site: SiteServer, page: Page
) -> None:
    page.open(site.url)
    page.run(READY)
    page.run("analytics.track('Timed')")
    arrived(collector, lambda bodies: bool(named(bodies, "Timed")))
    seen = page.run(
        """new Promise((done) => {
             const look = () => {
               const all = performance.getEntriesByType('resource')
               const one = all.find((one) => one.name.endsWith('/v1/t'))
               if (one && one.responseEnd) done([one.serverTiming[0].name, one.transferSize])
               else setTimeout(look, 20)
             }
             look() })"""
    )
    assert seen[0] == "collect"
    assert seen[1] > 0


def test_a_page_of_another_origin_is_refused(browser: Browser, page: Page, tmp_path: Path) -> None:
    settings = {
        "CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder()),
        "CAUCE_COLLECTOR__ORIGINS": "https://shop.example,https://*.shop.example",
    }
    with (
        RunningCollector(tmp_path / "space", settings) as collector,
        SiteServer(collector.url, collector.key) as site,
    ):
        page.open(site.url)
        with pytest.raises(Refused, match="Failed to fetch"):
            page.run(f"fetch('{collector.url}/v1/projects/{collector.key}/settings').then((r) => r.status)")
        event = json.dumps({"writeKey": collector.key, "event": "e", "userId": "u"})
        simple = json.dumps({"method": "POST", "mode": "no-cors", "body": event})
        page.run(f"fetch('{collector.url}/v1/t', {simple}).then((r) => r.type)")
        assert collector.logged() == []
        assert collector.reasons() == []
