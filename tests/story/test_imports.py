"""`cauce import` as it is typed: proposals, standard input, dry runs, history, several formats."""

import gzip
import json
import subprocess
from pathlib import Path

import pytest

from tests.story.command import CAUCE, cauce, environment, succeed

CONTACTS = "customer_no;email;modified\n" + "".join(
    f"{n};p{n}@example.org;{1 + n % 28:02}/03/2025 10:00\n" for n in range(60)
)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    root = tmp_path / "space"
    succeed("init", root)
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    return root


def test_a_proposal_is_corrected_by_nobody_and_imported(space):
    file = space.parent / "contacts.csv"
    drafted = succeed("import", file, "--propose", "--source", "web", "--space", space)
    mapping = space.parent / "contacts.yaml"
    mapping.write_text(drafted.out)
    told = succeed("import", file, "--propose", "--source", "web", "--space", space, "--json").json
    assert told["mapping"] == drafted.out
    assert {one["name"]: one["role"] for one in told["columns"]} == {
        "customer_no": "user_id",
        "email": "email",
        "modified": "time",
    }
    assert all(one["why"] for one in told["columns"])
    dry = succeed("import", file, "--mapping", mapping, "--dry-run", "--space", space, "--json").json
    assert (dry["events"], len(dry["first_events"])) == (60, 5)
    assert dry["first_events"][0]["traits"] == {"email": "p0@example.org"}
    shown = succeed("import", file, "--mapping", mapping, "--dry-run", "--space", space)
    assert "The first events:" in shown.out and "p0@example.org" in shown.out
    assert "Its columns seem to be: customer_no (integer), email (text), modified (time)." in shown.err
    assert succeed("log", "stats", "--json", "--space", space).json["head"] == 0
    done = succeed("import", file, "--mapping", mapping, "--space", space, "--json").json
    assert done == {"read": 60, "accepted": 60, "duplicate": 0, "quarantined": 0, "events": 60}


def test_without_a_mapping_the_way_is_shown(space):
    refused = cauce("import", space.parent / "contacts.csv", "--space", space)
    assert refused.code == 2
    assert "--propose" in refused.err


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_a_file_like_any_other(space, pack):
    file = space.parent / "contacts.csv"
    mapping = space.parent / "contacts.yaml"
    mapping.write_text(succeed("import", file, "--propose", "--source", "web", "--space", space).out)
    line = [CAUCE, "import", "-", "--mapping", mapping, "--space", space, "--json"]
    for expected in ({"accepted": 60, "duplicate": 0}, {"accepted": 0, "duplicate": 60}):
        ran = subprocess.run(
            [str(word) for word in line],
            input=pack(CONTACTS.encode()),
            capture_output=True,
            env=environment(),
            check=True,
            timeout=120,
        )
        counts = json.loads(ran.stdout)
        assert {key: counts[key] for key in expected} == expected
    assert not any((space / "scratch").iterdir())


def test_a_history_goes_straight_to_sealed_files_and_is_counted_like_any_import(space):
    lines = ["order;customer;at;sku;quantity;price"]
    for number in range(2_000):
        for line in range(1 + number % 3):
            lines.append(f"A{number};c{number % 300};2025-01-01T00:00:{number % 60:02}Z;s{line};1;2.5")
    file, mapping = space.parent / "orders.csv", space.parent / "orders.yaml"
    file.write_text("\n".join([*lines, lines[-1]]))
    mapping.write_text(succeed("import", file, "--propose", "--source", "web", "--space", space).out)
    bring = ("import", file, "--mapping", mapping, "--space", space, "--json")
    first = succeed(*bring, "--historical").json
    assert first == {
        "read": len(lines),
        "accepted": len(lines) - 1,
        "duplicate": 1,
        "quarantined": 0,
        "events": 2_000,
    }
    assert list((space / "log").glob("*.parquet"))
    again = succeed(*bring, "--historical").json
    assert (again["accepted"], again["duplicate"], again["events"]) == (0, len(lines), 0)
    assert succeed(*bring).json == again
    assert succeed("log", "stats", "--json", "--space", space).json["head"] == 2_000
