"""An import that is killed and started again ends as one that was not."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position

ROOT = Path(__file__).parents[2]
MAPPING = """
owner: a
source: shop
group_by: no
columns: {n: integer, price: number}
call: track
event: Bought
time: at
user_id: customer
properties: {total: {sum: n, times: price}, products: {items: {sku: sku, n: n}}}
"""
GROUPS, LINES = 12_000, 3


def started(space: Path, file: Path, mapping: Path) -> subprocess.Popen[bytes]:
    space.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.faults.import_process", str(space), str(file), str(mapping)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> dict[str, int]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    counts = json.loads(output)
    assert isinstance(counts, dict)
    return counts


def content(space: Path) -> list[tuple[str, int, bytes]]:
    log = SqliteLog(space)
    rows = [(row.message_id, row.time, row.body) for row in log.read(Position(0), GROUPS + 1)]
    refused = [(entry.reason, 0, entry.body) for entry in log.quarantined(limit=1_000)]
    log.close()
    return rows + refused


def test_an_import_killed_at_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(random.randrange(2**32))  # pytest-randomly tells the seed
    file, mapping = tmp_path / "orders.csv", tmp_path / "m.yaml"
    mapping.write_text(MAPPING)
    bad = set(chance.sample(range(GROUPS * LINES), 40))
    file.write_text(
        "no,sku,n,price,customer,at\n"
        + "".join(
            f"{number // LINES},s{number},{'x' if number in bad else 2},0.1,c,2024-05-01\n"
            for number in range(GROUPS * LINES)
        )
    )
    whole = finished(started(tmp_path / "undisturbed", file, mapping))
    assert whole["read"] == GROUPS * LINES
    assert whole["quarantined"] == len(bad)

    space = tmp_path / "killed"
    space.mkdir()
    log = SqliteLog(space)
    killed = 0
    for _ in range(3):
        process = started(space, file, mapping)
        goal = log.head() + chance.randrange(500, GROUPS // 4)
        deadline = time.monotonic() + 60
        while log.head() < goal and process.poll() is None:
            assert time.monotonic() < deadline
        time.sleep(chance.random() / 50)  # a random moment, not a wait for something
        killed += process.poll() is None
        process.kill()
        process.communicate()
    before = log.head()
    log.close()
    assert killed
    last = finished(started(space, file, mapping))
    assert last["events"] == whole["events"] - before
    assert (last["read"], last["quarantined"]) == (whole["read"], whole["quarantined"])
    assert content(space) == content(tmp_path / "undisturbed")
