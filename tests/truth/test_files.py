"""The files of the CRM and the webinars, read by the import with the demo's mappings."""

import pytest

from cauce.collect.files import import_file, load_mapping
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position, read_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import DAY, Moment, parse_iso
from demo.company import generate
from demo.files import write_files

UNTIL = parse_iso("2026-06-30T12:00:00Z")
RECEIVED = Moment(UNTIL + DAY)


@pytest.fixture(scope="module")
def company():
    return generate(until=UNTIL)


@pytest.fixture
def log(tmp_path):
    log = SqliteLog(tmp_path)
    yield log
    log.close()


def run(delivery, log):
    counts = import_file(delivery.file, load_mapping(delivery.mapping), log, clock=lambda: RECEIVED).counts()
    return counts["read"], counts["accepted"], counts["duplicate"], counts["quarantined"]


def test_files_carry_what_the_records_say(company, log, tmp_path):
    files = write_files(company, tmp_path / "files")
    for delivery in (files.crm_first, files.webinars, files.crm_second):
        read, accepted, _, _ = run(delivery, log)
        assert read == accepted > 10
    events = [read_event(row, DEFAULT_NORMALIZATION) for row in log.read(Position(0), 1_000)]
    imported = sorted((e.time, e.source, e.name or str(e.call), sorted(e.identifiers)) for e in events)
    records = [record for record in company.records if record.source in ("crm", "webinar")]
    assert imported == sorted((r.time, r.source, r.event, sorted(r.identifiers())) for r in records)


def test_an_old_export_imported_again_adds_nothing(company, log, tmp_path):
    """EM-07: the stale address cannot come back, because the old rows are known."""
    files = write_files(company, tmp_path / "files")
    read, accepted, _, _ = run(files.crm_first, log)
    assert accepted == read
    assert run(files.crm_again, log) == (read, 0, read, 0)
    assert files.crm_again.file.read_bytes() != files.crm_first.file.read_bytes()


def test_petras_stale_address_stands_in_the_old_export(company, tmp_path):
    files = write_files(company, tmp_path / "files")
    assert "petra.novakova@mail.example" in files.crm_again.file.read_text()
    assert "petra.novakova@mail.example" not in files.crm_second.file.read_text()
