"""The worker's own `/health` and `/metrics`, on a thread beside the fold."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cauce.app.metrics_text import CONTENT_TYPE
from cauce.app.vitals import Vitals
from cauce.vocabulary.exact import encode_json


def answer_about(vitals: Vitals, listener: socket.socket) -> None:
    """Answer on a listening socket until the process ends. Nothing personal is said, so no key is asked."""

    class Answers(BaseHTTPRequestHandler):
        """One request."""

        timeout = 10.0

        def do_GET(self) -> None:
            """Health or metrics."""
            if self.path == "/health":
                state = vitals.state
                status = 503 if state == "silent" else 200
                self._send(status, "application/json", encode_json({"status": state}))
            elif self.path == "/metrics":
                self._send(200, CONTENT_TYPE, ("\n".join(vitals.lines()) + "\n").encode())
            else:
                self._send(404, "application/json", b'{"status":"not found"}')

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: requests are not logged."""

        def version_string(self) -> str:
            """No versions are told."""
            return "cauce"

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="vitals", daemon=True).start()
