"""The process that writes files is killed at any moment, again and again."""

import csv
import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from io import StringIO
from pathlib import Path
from random import Random

from cauce.activate.delivery import State
from cauce.activate.payload import Shape
from cauce.activate.service import Activation
from tests.faults.file_process import DEFINITION
from tests.faults.webhook_space import Space, change, until

ROOT = Path(__file__).parents[2]


def start(folder: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    return subprocess.Popen([sys.executable, "-m", "tests.faults.file_process", str(folder)], env=environment)


def test_kill_at_any_moment_leaves_no_half_file_and_puts_each_change_into_one_file(tmp_path):
    random = Random()
    space = Space(tmp_path, ["drop"])
    space.activation = Activation({"buyers": ["drop"]}, {"drop": Shape.of(DEFINITION)})
    number = 0

    def more(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            space.queue(change(number, person=f"p{number % 40}", entered=number % 2 == 0))

    def files() -> list[Path]:
        return sorted((tmp_path / "exports").glob("drop-*.csv"))

    for _ in range(5):
        process = start(tmp_path)
        more(60)
        seen = len(files())
        until(lambda seen=seen: len(files()) > seen)
        more(random.randint(1, 60))
        until(lambda seen=seen, some=random.randint(2, 4): len(files()) >= seen + some)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for file in files():  # whatever is there under a final name is whole
            assert file.read_bytes().endswith(b"\r\n")
    process = start(tmp_path)
    until(lambda: space.states() == {State.DELIVERED}, 60)
    process.kill()
    process.wait()

    rows = []
    for file in files():
        manifest = json.loads(file.with_name(f"{file.name}.manifest.json").read_text())
        assert manifest["sha256"] == sha256(file.read_bytes()).hexdigest()
        rows += csv.DictReader(StringIO(file.read_bytes().decode(), newline=""))
    order = [(row["profile_id"], row["at"]) for row in rows]
    assert len(order) == len(set(order)) == number
    for person in {row["profile_id"] for row in rows}:
        mine = [at for who, at in order if who == person]
        assert mine == sorted(mine)
    by_number = {int(file.stem.rpartition("-")[2]): file for file in files()}
    assert sorted(by_number) == list(range(1, len(by_number) + 1))
    statuses = {receipt.delivery: receipt.status for receipt in space.receipts()}
    assert len(statuses) == number and set(statuses.values()) <= set(by_number)
    space.records.close()
