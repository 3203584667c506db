"""The deliverer's process is killed in mid-delivery, again and again."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

from cauce.activate.delivery import Outcome, State
from tests.faults.webhook_receiver import Receiver, answer, genuine
from tests.faults.webhook_space import SECRET, Space, change, until

ROOT = Path(__file__).parents[2]


def start(folder: Path, url: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    command = [sys.executable, "-m", "tests.faults.webhook_process", str(folder), url]
    return subprocess.Popen(command, env=environment)


def test_kill_at_any_moment_loses_no_change_and_every_repeat_is_alike(tmp_path):
    random = Random()
    space = Space(tmp_path)
    space.queue(*[change(number) for number in range(1, 401)])
    ids = {one.id: one.body for one in space.all()}

    def decide(request):  # slow enough that every kill finds requests under way
        def reply(handler):
            handler.receiver.closing.wait(random.uniform(0.005, 0.03))
            answer(500 if random.random() < 0.05 else 200)(handler)

        return reply

    with Receiver(decide) as receiver:
        for _ in range(4):
            seen = len(receiver.requests)
            process = start(tmp_path, receiver.url())
            more = random.randint(5, 60)
            until(lambda seen=seen, more=more: len(receiver.requests) >= seen + more)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert State.SENDING in space.states()
        process = start(tmp_path, receiver.url())
        until(space.settled, 60)
        process.kill()
        process.wait()

    assert space.states() == {State.DELIVERED}
    assert {request.key for request in receiver.requests} == set(ids)
    assert all(request.body == ids[request.key] for request in receiver.requests)
    assert all(genuine(request, SECRET) for request in receiver.requests)
    receipts = defaultdict(list)
    for receipt in space.receipts():
        receipts[receipt.delivery].append(receipt)
    assert set(receipts) == set(ids)
    requests = defaultdict(int)
    for request in receiver.requests:
        requests[request.key] += 1
    for one in space.all():
        mine = receipts[one.id]
        assert [receipt.attempt for receipt in mine] == list(range(1, one.attempts + 1))
        assert mine[-1].outcome is Outcome.DELIVERED
        unknown = sum(receipt.outcome is Outcome.UNKNOWN for receipt in mine)
        assert one.attempts - unknown <= requests[one.id] <= one.attempts
    cut_short = [receipt for mine in receipts.values() for receipt in mine if receipt.ended is None]
    assert cut_short and {receipt.outcome for receipt in cut_short} == {Outcome.UNKNOWN}
    space.records.close()
