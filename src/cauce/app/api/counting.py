"""Counting: how many requests the API answered, how, and how fast.

Paths are counted by their template, so that no person is named.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cauce.app.metrics_text import family, labelled

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_NAME = "cauce_api_request_seconds"


class Requests:
    """Counts since the process began. Lives on the event loop's thread."""

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, ...]] = Counter()
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BUCKETS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._answered[route, str(status)] += 1
        self._buckets[route][bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[route] += seconds

    def lines(self) -> Iterator[str]:
        """The counts as Prometheus reads them."""
        yield from family(
            "cauce_api_requests_total",
            "counter",
            "Requests, by route and status.",
            self._answered,
            ("route", "status"),
        )
        yield from family(_NAME, "histogram", "Time to answer, by route.", {})
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, number in zip((*map(str, _BUCKETS), "+Inf"), buckets, strict=True):
                total += number
                yield f"{_NAME}_bucket{labelled(('route', 'le'), (route, bound))} {total}"
            yield f"{_NAME}_sum{labelled(('route',), (route,))} {self._seconds[route]}"
            yield f"{_NAME}_count{labelled(('route',), (route,))} {total}"


class Counting:
    """Middleware that counts every request; ``prefix`` is left out of the routes' names."""

    def __init__(self, app: ASGIApp, requests: Requests, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, and count what it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "none").removeprefix(self._prefix)
            self._requests.count(route, status, perf_counter() - started)
