"""kill -9 of collector and worker under load: nothing acknowledged is lost, nothing counts twice."""

import os
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from cauce.vocabulary.moment import now
from demo.load import batches
from tests.faults.endurance import BATCH, kills, survive


def test_eight_kills(tmp_path: Path) -> None:
    survive(tmp_path, kills(8), seed=20260301)


@pytest.mark.soak
def test_fifty_kills(tmp_path: Path) -> None:
    seed = int(os.environ.get("CAUCE_SEED", "7"))
    survive(tmp_path, kills(50), seed, CAUCE_SERVE__RESTART_LIMIT_SECONDS="1")


def test_bodies_repeat() -> None:
    """The load holds repeats, so that the test above can tell once from twice."""
    sent = [
        event["messageId"]
        for body in islice(batches(size=BATCH, people=300, seed=1, until=now(), days=1, repeats=0.02), 40)
        for event in msgspec.json.decode(body)["batch"]
    ]
    assert len(set(sent)) < len(sent)
