"""A web site on an origin of its own, whose pages use analytics.js from the collector."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_PAGE = """<!doctype html>
<title>Shop</title>
<script nonce="n">
  window.analytics = []
  analytics._cdn = {cdn}
  analytics._loadOptions = {options}
  for (const call of ['page', 'track', 'identify', 'group', 'alias', 'reset', 'ready'])
    analytics[call] = (...values) => analytics.push([call, ...values])
</script>
<script nonce="n" async src="{script}"></script>
<p>Hello
"""


class SiteServer:
    """Serves one page at every path, while the block lasts. ``collector`` is the URL it sends to."""

    def __init__(self, collector: str, key: str, *, options: dict[str, Any] | None = None, csp: str = ""):
        script = f"{collector}/analytics.js/v1/{key}/analytics.min.js"
        self.html = _PAGE.format(cdn=json.dumps(collector), options=json.dumps(options or {}), script=script)
        self.csp = csp

    def __enter__(self) -> "SiteServer":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


def _handler(site: SiteServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = site.html.encode() if self.path != "/favicon.ico" else b""
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            if site.csp:
                self.send_header("content-security-policy", site.csp)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
