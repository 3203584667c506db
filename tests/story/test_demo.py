"""The demo, end to end: `python -m demo` in a process of its own, over HTTP and command line only."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from cauce.identity import simulate
from cauce.vocabulary.moment import DAY, Moment, parse_iso
from demo.company import generate
from demo.simulation import IN_FORCE, observations, policies
from demo.space import CAUCE, MARK

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "demo"]
READY = "Everything runs until you press Ctrl-C"
PATIENCE = 240.0


class Running:
    """A demo that keeps running: what it printed, and where its space is."""

    def __init__(self, space):
        self.space = space
        self.printed = []
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [*COMMAND, "--space", str(space)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE
        for line in self.process.stdout:
            self.printed.append(line.rstrip())
            if line.startswith(READY) or time.monotonic() > deadline:
                break
        self.printed += [self.process.stdout.readline().rstrip() for _ in range(3)]
        assert any(line.startswith(READY) for line in self.printed), "\n".join(self.printed)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=60)
        return self.process.returncode, rest

    @property
    def text(self):
        return "\n".join(self.printed)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("story") / "demo-space")
    try:
        running.wait_until_ready()
        yield running
    finally:
        code, rest = running.stop()
    assert code == 0, rest
    assert "Stopping." in rest


@pytest.fixture(scope="module")
def company(demo):
    """The same company again: the moment at which it ends is what the demo printed."""
    until = re.search(r"until (\S+Z)\.", demo.text)
    return generate(until=parse_iso(until[1]))


def cauce_json(demo, *arguments):
    done = subprocess.run(
        [CAUCE, *arguments, "--json", "--space", demo.space], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def read(demo, path, **parameters):
    """An answer of the API at the address that the demo printed."""
    address = next(line.split()[-1] for line in demo.printed if line.startswith("  API "))
    key = (demo.space / "api.key").read_text()
    answer = httpx.get(
        address + path,
        params={"purpose": "support", **parameters},
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
    )
    return answer.raise_for_status().json()


def table(demo, title):
    """The lines of a printed table, without title and header."""
    start = demo.printed.index(title) + 2
    end = next(place for place in range(start, len(demo.printed)) if not demo.printed[place].strip())
    return demo.printed[start:end]


def test_rows_in_add_up(demo, company):
    rows = {line.split()[0]: line.split() for line in table(demo, "Rows in")}
    live = [record.source for record in company.records if record.source not in ("crm", "webinar")]
    accepted = {source: int(rows[source][-3].replace(",", "")) for source in set(live)}
    assert accepted == {source: live.count(source) for source in set(live)}
    assert rows["web"][-1] == "3"
    assert rows["crm_export_1_again"][-3:-1] == ["0", rows["crm_export_1"][-4]]
    total = [int(number.replace(",", "")) for number in rows["all"][1:]]
    assert total[0] == sum(total[1:])
    assert total[1] == len(company.records)


def test_merges_are_good_enough_and_the_limits_are_told(demo):
    merges = re.search(
        r"Merges: precision (\S+) .* recall of what rules can know (\S+) .*: good enough\.", demo.text
    )
    assert float(merges[1]) >= 0.99
    assert float(merges[2]) >= 0.9
    assert "What deterministic rules cannot know, and why:" in demo.text
    mixed = demo.printed.index("Profiles in which several people are mixed: 2")
    assert demo.printed[mixed + 1 : mixed + 3] == [
        "  Berta Lindgren, Bertha Lindgren",
        "  Rosa Vidaurre, Samuel Vidaurre",
    ]
    assert len(re.findall(r"^ EM-\d\d ", demo.text, re.MULTILINE)) == 14


def test_the_running_system_equals_the_simulation(demo, company):
    """Members of every segment, evaluated a second time by hand on simulated profiles."""
    profiles = simulate(policies()[IN_FORCE], observations(company.records))
    expected = expected_members(company, profiles)
    for key, members in expected.items():
        identifiers = {
            frozenset(f"{one['type']}:{one['value']}" for one in member["identifiers"])
            for member in read(demo, f"/segments/{key}/members", limit=1_000)["data"]
        }
        assert identifiers == {frozenset(profiles[anchor]) for anchor in members}, key
        assert members, key


def expected_members(company, profiles):
    owner = {name: anchor for anchor, names in profiles.items() for name in names}
    happened = defaultdict(list)
    for record in company.records:
        strongest = next((owner[str(one)] for one in record.identifiers() if str(one) in owner), None)
        if strongest is not None:
            happened[strongest].append(record)

    def count(anchor, event, days=None, **least):
        since = Moment(company.until - days * DAY) if days else 0
        return sum(
            record.event == event
            and record.time > since
            and all(record.body["properties"][name] >= value for name, value in least.items())
            for record in happened[anchor]
        )

    def known(anchor):
        return not all(
            name.startswith(("anonymous_id:", "crm_id:", "android.id:")) for name in profiles[anchor]
        )

    rules = {
        "big_spenders": lambda a: count(a, "Order Completed", 30, revenue=Decimal(60)) >= 2,
        "cart_left": lambda a: count(a, "Product Added", 14) >= 1 and not count(a, "Order Completed", 14),
        "webinar_no_order": lambda a: count(a, "Webinar Attended") and not count(a, "Order Completed"),
        "never_attended": lambda a: count(a, "Order Completed") and not count(a, "Webinar Attended"),
        "office_leads": lambda a: count(a, "Demo Requested") or count(a, "White Paper Downloaded", 45) >= 2,
        "unreachable": lambda a: count(a, "Email Bounced"),
    }
    return {key: {a for a in profiles if known(a) and rule(a)} for key, rule in rules.items()}


def test_the_receiver_was_told_of_every_member(demo):
    """Entered less left, told to the receiver, is the number of members."""
    rows = [line.split() for line in table(demo, "Segments → delivered")]
    told = [
        row for row in rows if row[0] in ("big_spenders", "cart_left", "webinar_no_order", "office_leads")
    ]
    assert len(told) == 4
    for row in told:
        numbers = [int(word) for word in row if word.isdigit()][:3]
        assert numbers[1] - numbers[2] == numbers[0] > 0, row
    assert ", 0 with a wrong signature." in demo.text


def test_petra_keeps_her_corrected_address(demo):
    """EM-07: an old file that is imported again does not bring the stale address back."""
    shown = cauce_json(demo, "profile", "show", "email:petra.novakova@mail.example", "--why")
    assert shown["traits"]["email"]["value"] == "petra.novotna@mail.example"
    assert "petra.novakova@mail.example" in {lost["value"] for lost in shown["why"]["email"]["lost"]}


def test_jonas_keeps_his_dead_address_as_an_identifier(demo):
    """EM-08: the bounced address stays his, and the bounce puts him into a segment."""
    shown = cauce_json(demo, "profile", "show", "email:jonas.wirth@firmeneu.example")
    assert shown["traits"]["email"]["value"] == "jonas.wirth@kaffeebund.example"
    assert "unreachable" in shown["segments"]


def looked_at(demo):
    """The printed five: each command with the pattern of its first line."""
    return [line.removeprefix("   $ ") for line in demo.printed if line.startswith("   $ ")]


FIRST_LINES = (
    r"Profile p_[0-9a-f]+",
    r"email:lucia\.ferri@mail\.example is in never_attended since 20\S+\.",
    r"number +identifiers +since",
    r"position +received +call +name +source +message id",
    r'\{.*"profile_id": ?"p_[0-9a-f]+".*',
)


def test_there_are_five_things_to_look_at(demo):
    assert len(looked_at(demo)) == len(FIRST_LINES) == 5


@pytest.mark.parametrize("number", range(5))
def test_what_to_look_at_can_be_copied(demo, number):
    command = looked_at(demo)[number]
    done = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    first, *more = done.stdout.splitlines()
    assert re.fullmatch(FIRST_LINES[number], first.rstrip()), done.stdout
    assert more or first.startswith("{")


def test_it_says_which_addresses_answer(demo):
    addresses = [line.split()[-1] for line in demo.printed[-3:]]
    assert [address.rpartition("/")[2] for address in addresses] == ["batch", "v1", "members"]


def test_once_replaces_the_space_of_an_earlier_demo_prints_and_ends(tmp_path):
    space = tmp_path / "demo-space"
    space.mkdir()
    (space / MARK).touch()
    (space / "stale.txt").touch()
    done = subprocess.run(
        [*COMMAND, "--once", "--space", space, "--people", "150", "--days", "60"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "A shop with 150 people" in done.stdout
    assert done.stdout.rstrip().endswith(": good enough.")
    assert READY not in done.stdout
    assert not (space / "stale.txt").exists()
    assert (space / MARK).exists()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = subprocess.run(
        [*COMMAND, "--once", "--space", tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "no demo made it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
