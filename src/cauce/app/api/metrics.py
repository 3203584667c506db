"""`/health` and `/metrics`: whether the API works, and figures without personal data."""

from collections.abc import Iterator

from fastapi import APIRouter, Response

from cauce.activate.deliveries import Deliveries
from cauce.app.api.answers import answer
from cauce.app.api.callers import ReaderKey
from cauce.app.api.counting import Requests
from cauce.app.compose import Composition
from cauce.app.log_stats import log_stats
from cauce.app.metrics_text import CONTENT_TYPE, family
from cauce.vocabulary.moment import SECOND, Clock


def health_routes(composition: Composition) -> APIRouter:
    """Routes that need no key."""
    router = APIRouter(tags=["operation"])

    @router.get("/health")
    def health() -> Response:
        """Say that the API answers and can read the state and the log."""
        with composition.state.read():
            composition.log.head()
        return answer({"status": "ok"})

    return router


def metrics_routes(
    composition: Composition, deliveries: Deliveries, requests: Requests, clock: Clock
) -> APIRouter:
    """Routes that need a key, as segments and destinations are named."""
    router = APIRouter(tags=["operation"])

    @router.get("/metrics")
    def metrics(_: ReaderKey) -> Response:
        """Read the figures that Prometheus collects."""
        lines = [
            *_log(composition, clock),
            *_people(composition),
            *_told(deliveries, clock),
            *requests.lines(),
        ]
        return Response("\n".join(lines) + "\n", media_type=CONTENT_TYPE)

    return router


def _log(composition: Composition, clock: Clock) -> Iterator[str]:
    stats = log_stats(composition, clock())
    behind = stats.behind_seconds or 0.0
    yield from family("cauce_log_head", "gauge", "The last position of the log.", {(): stats.head})
    yield from family("cauce_log_folded", "gauge", "The last position that is folded.", {(): stats.folded})
    yield from family(
        "cauce_fold_behind_seconds", "gauge", "Age of the oldest event that is not folded.", {(): behind}
    )
    yield from family(
        "cauce_quarantined_inputs",
        "gauge",
        "Refused input, by reason.",
        {(reason,): count for reason, count in stats.quarantine.items()},
        ("reason",),
    )


def _people(composition: Composition) -> Iterator[str]:
    sizes = {(key,): size for key, size in composition.segments.sizes().items()}
    yield from family("cauce_segment_members", "gauge", "People in a segment.", sizes, ("segment",))


def _told(deliveries: Deliveries, clock: Clock) -> Iterator[str]:
    backlog = {(name, str(state)): count for (name, state), count in deliveries.backlog().items()}
    yield from family(
        "cauce_deliveries",
        "gauge",
        "Deliveries that are not delivered, by state.",
        backlog,
        ("destination", "state"),
    )
    now = clock()
    ages = {(name,): max(0.0, (now - since) / SECOND) for name, since in deliveries.oldest().items()}
    yield from family(
        "cauce_delivery_behind_seconds",
        "gauge",
        "Age of the oldest change that a destination was not told yet.",
        ages,
        ("destination",),
    )
    yield from family(
        "cauce_delivery_attempts_total",
        "counter",
        "Attempts to deliver, by outcome.",
        deliveries.attempts(),
        ("destination", "outcome"),
    )
