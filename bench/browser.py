"""What the browser SDK costs a page in a real Chromium: bytes, requests, time of the page's main thread.

The same page without the SDK is the floor. Times are processor time of the main
thread (``threadTicks``), medians of fresh visits; bytes are those on the wire.
Needs Chromium and the files of the SDK (``tests/prepare.sh``), else it says so and measures nothing.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import Figure
from tests.clients.browser import Browser, Page, executable, sdk_folder
from tests.clients.collector_process import RunningCollector
from tests.clients.site_server import SiteServer

VISITS = 9
CALLS = 20
_READY = "new Promise((done) => window.analytics.ready(() => done(true)))"
_CALL = "analytics.track('Product Viewed', {sku: 'A1', price: 12.5, currency: 'EUR'})"
_BARE = "<!doctype html>\n<title>Shop</title>\n<p>Hello\n"
_BATCHING = {"Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 500}}}}


class Visit(NamedTuple):
    """What one visit cost: main-thread milliseconds, requests and bytes to and from the collector."""

    milliseconds: float
    requests: int
    sent: int
    received: int


class Calls(NamedTuple):
    """What one call of a page that has loaded costs, on average; ``server`` is what the collector says."""

    milliseconds: float
    requests: float
    sent: float
    received: float
    server: float


def run() -> list[Figure]:
    """A first visit, a second one, and a call, one by one and in batches."""
    program = executable()
    if program is None or not sdk_folder().is_dir():
        print(
            "browser: Chromium or the SDK is missing, nothing was measured: bash tests/prepare.sh",
            file=sys.stderr,
        )
        return []
    settings = {"CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder())}
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningCollector(Path(folder) / "space", settings) as collector,
        SiteServer(collector.url, collector.key) as site,
        SiteServer(collector.url, collector.key, options={"integrations": _BATCHING}) as batching,
        SiteServer(collector.url, collector.key) as bare,
        Browser(program) as browser,
    ):
        bare.html = _BARE
        rounds = [_round(browser, site, bare, collector.url) for _ in range(VISITS)]
        script = _bytes_of(browser, site, "analytics.min.js")
        settings_bytes = _bytes_of(browser, site, "settings")
        with browser.page() as page:
            single = _calls(page, site, collector.url)
        with browser.page() as page:
            batches = _calls(page, batching, collector.url)
    return [
        Figure("the script, compressed", script / 1_000, "kB", "≤ 40", script <= 40_000),
        Figure("the settings", settings_bytes, "bytes", "", True),
        *_visits("first visit with a page call", [(one[0], one[2]) for one in rounds]),
        *_visits("next page of a visit", [(one[1], one[3]) for one in rounds]),
        *_of_calls("a further call", single),
        *_of_calls("a further call, in batches", batches),
    ]


def _round(browser: Browser, site: SiteServer, bare: SiteServer, collector: str) -> tuple[Visit, ...]:
    """The first and the second page of a visit with the SDK, and of one without."""
    found = []
    for server, script in (
        (site, f"{_READY}.then(() => analytics.page()).then(() => {_told(1)})"),
        (bare, "1"),
    ):
        with browser.page() as page:
            found += [_visit(page, server.url + path, script, collector) for path in ("/", "/next")]
    return tuple(found)


def _visit(page: Page, url: str, script: str, collector: str) -> Visit:
    before = len(page.told("Network.requestWillBeSent"))
    page.send("Performance.enable", timeDomain="threadTicks")
    page.open(url)
    page.run(script)
    cost = _main_thread(page)
    page.send("Performance.disable")
    return Visit(cost, *_traffic(page, collector, before))


def _main_thread(page: Page) -> float:
    """Milliseconds of tasks on the page's main thread so far."""
    metrics = {one["name"]: one["value"] for one in page.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"]) * 1_000


def _traffic(page: Page, collector: str, after: int = 0) -> tuple[int, int, int]:
    """Requests to the collector that have ended, after the first ``after`` of the page, and their bytes."""
    ended = {one["requestId"]: one["encodedDataLength"] for one in page.told("Network.loadingFinished")}
    heads = {one["requestId"]: one["headers"] for one in page.told("Network.requestWillBeSentExtraInfo")}
    requests = sent = received = 0
    for one in page.told("Network.requestWillBeSent")[after:]:
        if one["request"]["url"].startswith(collector) and one["requestId"] in ended:
            requests += 1
            sent += len(one["request"].get("postData", "").encode()) + _head(heads.get(one["requestId"], {}))
            received += int(ended[one["requestId"]])
    return requests, sent, received


def _head(headers: dict[str, str]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in headers.items())


def _bytes_of(browser: Browser, site: SiteServer, ending: str) -> int:
    """The bytes of an answer on the wire, heads and body, to whom has nothing yet."""
    with browser.page() as page:
        page.open(site.url)
        page.run(_READY)
        names = [
            one for one in page.told("Network.requestWillBeSent") if one["request"]["url"].endswith(ending)
        ]
        ended = {one["requestId"]: one["encodedDataLength"] for one in page.told("Network.loadingFinished")}
        return int(ended[names[0]["requestId"]])


def _calls(page: Page, site: SiteServer, collector: str) -> Calls:
    """Some calls on a page that has loaded and made one before."""
    page.open(site.url)
    page.run(f"{_READY}.then(() => {_CALL}).then(() => {_told(1)})")
    page.send("Performance.enable", timeDomain="threadTicks")
    before, spent = _traffic(page, collector), _main_thread(page)
    page.run(f"(async () => {{ for (let n = 0; n < {CALLS}; n++) await {_CALL} }})()")
    cost = _main_thread(page) - spent
    server = page.run(_told(2))
    after = _traffic(page, collector)
    each: list[float] = [(new - old) / CALLS for old, new in zip(before, after, strict=True)]
    return Calls(cost / CALLS, *each, server)


def _told(answers: int) -> str:
    """A script that waits for answers to posts and then for quiet; it gives the median ``Server-Timing``."""
    return f"""new Promise((done) => {{
      let seen = 0
      const look = () => {{
        const all = performance.getEntriesByType('resource').filter((one) => /\\/v1\\/[tpb]$/.test(one.name))
        const timings = all.map((one) => one.serverTiming[0]?.duration ?? 0).sort((a, b) => a - b)
        if (all.length >= {answers} && all.length === seen) done(timings[Math.floor(timings.length / 2)])
        else {{ seen = all.length; setTimeout(look, 700) }}
      }}
      look() }})"""


def _visits(what: str, pairs: list[tuple[Visit, Visit]]) -> list[Figure]:
    spent = statistics.median(with_.milliseconds for with_, _ in pairs)
    floor = statistics.median(without.milliseconds for _, without in pairs)
    one = pairs[-1][0]
    return [
        Figure(f"{what}: main thread", spent, "ms", "", True, spent / floor, "the page without it"),
        Figure("  more than without it", spent - floor, "ms", "", True),
        Figure("  requests", one.requests, "", "", True),
        Figure("  received", one.received / 1_000, "kB", "", True),
        Figure("  sent", one.sent / 1_000, "kB", "", True),
    ]


def _of_calls(what: str, calls: Calls) -> list[Figure]:
    return [
        Figure(f"{what}: main thread", calls.milliseconds, "ms", "", True),
        Figure("  requests", calls.requests, "", "", True),
        Figure("  sent", calls.sent, "bytes", "", True),
        Figure("  received", calls.received, "bytes", "", True),
        Figure("  in the collector", calls.server, "ms", "", True),
    ]


def _print(figures: list[Any]) -> None:
    for figure in figures:
        print(f"{figure.what:45} {figure.value:12,.2f} {figure.unit:8} {figure.ratio or 0:.2f}")


if __name__ == "__main__":
    _print(run())
