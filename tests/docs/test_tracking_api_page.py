"""The page of the tracking API names every route, and the page for web sites works in a browser."""

import json
import os
import time
from pathlib import Path

import pytest

from cauce.collect.call import DISCARDED, PIXELS, ROUTES, VALIDATING
from tests.clients.browser import Browser, executable, sdk_folder
from tests.clients.collector_process import RunningCollector
from tests.clients.site_server import SiteServer
from tests.docs.markdown_blocks import ROOT, blocks

PAGE = (ROOT / "docs/reference/tracking-api.md").read_text(encoding="utf-8")
WEB = ROOT / "docs/how-to/send-from-a-web-page.md"
SECONDS = 30


@pytest.mark.parametrize("path", sorted({*ROUTES, *VALIDATING, *DISCARDED}))
def test_every_route_is_on_the_page(path: str) -> None:
    path = path if path.startswith("/v1/") else f"/v1{path}"
    assert f"{path}`" in PAGE or f"{path}," in PAGE


def test_every_pixel_is_on_the_page() -> None:
    assert all(f"/{path.rsplit('/', 1)[1]}`" in PAGE for path in PIXELS)


def test_the_page_for_web_sites_sends(tmp_path: Path) -> None:
    program = executable()
    if program is None or not sdk_folder().is_dir():
        missing = "Chromium or the browser SDK is missing: `make test` installs them"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    shown = next(block.text for block in blocks(WEB) if block.file == "page.html")
    settings = {"CAUCE_COLLECTOR__SDK_FOLDER": str(sdk_folder())}
    with (
        RunningCollector(tmp_path / "space", settings) as collector,
        SiteServer(collector.url, collector.key) as site,
        Browser(program) as browser,
        browser.page() as page,
    ):
        # As the page says for plain HTTP.
        here = f"window.analytics = []\n  window.analytics._cdn = '{collector.url}'"
        shown = shown.replace("window.analytics = []", here).replace("WRITE_KEY", collector.key)
        site.html = shown.replace("https://events.shop.example", collector.url)
        page.open(site.url)
        page.run("document.querySelector('button').click()")
        deadline = time.monotonic() + SECONDS
        while len(logged := collector.logged()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    sent = {event.name: json.loads(event.body)["properties"] for event in logged}
    assert set(sent) == {"Page Viewed", "Product Added"}
    assert sent["Product Added"] == {"sku": "A1", "price": 12.5}
