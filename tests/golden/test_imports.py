"""Files and mappings beside the events, counts and refusals that they give.

One folder in ``imports`` for each case: ``expected.json``, and ``mapping.yaml``
and ``input.*`` unless they are those of an example. Message ids are part of
what is expected: were they derived in another way, importing a file again
would count it twice. ``CAUCE_WRITE_GOLDEN=1`` writes what comes out.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cauce.collect.files import import_file, load_mapping
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment, parse_iso

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "imports"
EXAMPLES = ROOT / "examples"
ELSEWHERE = {
    "contacts": (EXAMPLES / "contacts/mapping.yaml", EXAMPLES / "contacts/contacts.csv"),
    "webinar": (EXAMPLES / "webinar/mapping.yaml", EXAMPLES / "webinar/attendees.jsonl"),
    "invoices": (EXAMPLES / "online_retail/mapping.yaml", CASES / "invoices/input.csv"),
}
NOW = parse_iso("2024-06-01T12:00:00Z") or Moment(0)


def outcome(mapping: Path, file: Path, space: Path) -> dict[str, Any]:
    log = SqliteLog(space)
    result = import_file(file, load_mapping(mapping), log, clock=lambda: NOW)
    found = {
        "counts": result.counts(),
        "reasons": result.reasons,
        "quarantine": [f"{entry.reason}: {entry.detail}" for entry in log.quarantined()],
        # decoded with numbers as they are written: 1.10 is not 1.1
        "events": [json.loads(row.body, parse_float=str) for row in log.read(Position(0), 1_000)],
    }
    log.close()
    return found


@pytest.mark.parametrize("case", sorted({path.name for path in CASES.iterdir()} | set(ELSEWHERE)))
def test_import(case: str, tmp_path: Path) -> None:
    folder = CASES / case
    mapping, file = ELSEWHERE.get(case) or (folder / "mapping.yaml", next(folder.glob("input.*")))
    found = outcome(mapping, file, tmp_path)
    if os.environ.get("CAUCE_WRITE_GOLDEN"):
        folder.mkdir(exist_ok=True)
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
    assert found == json.loads((folder / "expected.json").read_text(encoding="utf-8"))
