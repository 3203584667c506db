import asyncio
import threading
from contextlib import suppress
from pathlib import Path

from cauce.collect.committer import Committer
from cauce.collect.counters import Counters
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import Outcome
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import now

PATIENCE = 10.0
"""Seconds; a commit that waits for its own lock waits for thirty."""


class DawdlingLog(SqliteLog):
    """A log that takes its time before it takes in what others appended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun, self.go_on = threading.Event(), threading.Event()

    def catch_up(self) -> None:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        super().catch_up()


def event(number: int) -> Accepted:
    return Accepted(
        message_id=f"m{number}",
        time=now(),
        call=Call.TRACK,
        name="Seen",
        source="web",
        body=b'{"userId":"u"}',
    )


async def submit_meanwhile(log: DawdlingLog, *, end: bool) -> int:
    committer = Committer(log, now, CollectSettings(), Counters())
    keeping_up = asyncio.create_task(committer.keep_up(0.0))
    while not log.begun.is_set():
        await asyncio.sleep(0)
    told: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
    committer.submit([event(1)], [], 10, now(), lambda outcomes, *_: told.set_result(outcomes))
    for _ in range(10):  # all that the event loop does at once
        await asyncio.sleep(0)
    if end:
        keeping_up.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
    log.go_on.set()
    outcomes = await asyncio.wait_for(told, PATIENCE)
    keeping_up.cancel()
    with suppress(asyncio.CancelledError):
        await keeping_up
    await asyncio.wait_for(committer.close(), PATIENCE)
    return len(outcomes)


def test_an_event_that_comes_while_others_are_taken_in_is_not_kept_waiting(tmp_path):
    for end in (False, True):
        folder = tmp_path / str(end)
        folder.mkdir()
        log = DawdlingLog(folder)
        try:
            assert asyncio.run(submit_meanwhile(log, end=end)) == 1
            assert log.head() == 1
        finally:
            log.go_on.set()
            log.close()
