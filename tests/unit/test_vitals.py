"""What a worker says of itself."""

import socket
from itertools import count

import httpx
import pytest

from cauce.app.vitals import SILENT_SECONDS, Vitals
from cauce.app.worker_http import answer_about
from cauce.vocabulary.event import Position


class Seconds:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def figure(vitals: Vitals, name: str) -> float:
    [line] = [one for one in vitals.lines() if one.startswith(f"cauce_worker_{name} ")]
    return float(line.split()[1])


def test_a_worker_that_prepares_is_patiently_awaited_and_one_that_folds_must_step(clock):
    vitals = Vitals(clock)
    clock.now += 1_000
    assert vitals.state == "preparing"
    vitals.beat(Position(70))
    assert vitals.state == "working"
    clock.now += SILENT_SECONDS
    assert vitals.state == "silent"
    vitals.beat(Position(70))
    assert vitals.state == "working"
    vitals.prepare()
    clock.now += 1_000
    assert vitals.state == "preparing"


def test_what_was_folded_before_it_began_does_not_count(clock):
    vitals = Vitals(clock)
    for position in (70, 80, 80, 95):
        vitals.beat(Position(position))
    assert (figure(vitals, "folded_total"), figure(vitals, "position")) == (25, 95)
    clock.now += 2.5
    assert figure(vitals, "step_age_seconds") == 2.5
    assert figure(vitals, "memory_peak_bytes") > 1_000_000


def test_it_answers_over_http(clock):
    vitals = Vitals(clock)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    answer_about(vitals, listener)
    with httpx.Client(base_url=url, trust_env=False) as client:
        assert (client.get("/health").status_code, client.get("/health").json()) == (
            200,
            {"status": "preparing"},
        )
        vitals.beat(Position(1))
        clock.now += SILENT_SECONDS
        assert (client.get("/health").status_code, client.get("/health").json()) == (
            503,
            {"status": "silent"},
        )
        metrics = client.get("/metrics")
        assert "# TYPE cauce_worker_folded_total counter" in metrics.text
        assert client.get("/x?user=ann@example.org").status_code == 404
    for number in count():
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as rubbish:
            rubbish.sendall(bytes([number]) * 100 + b"\r\n\r\n")
        if number > 3:
            break
    assert httpx.get(f"{url}/health", trust_env=False).status_code == 503
