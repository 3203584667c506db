"""The files that the CRM and the webinar system hand over, written into a folder."""

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cauce.vocabulary.moment import Moment, to_iso
from demo.chronicle import Record
from demo.company import Company

MAPPINGS = Path(__file__).parent / "mappings"


class Delivery(NamedTuple):
    """A file to import, and the mapping that reads it."""

    file: Path
    mapping: Path


class Deliveries(NamedTuple):
    """The files in the order in which they reach the shop.

    ``crm_again`` is the first export once more, months later and in another
    order: whatever it says has been superseded or is known (scenario EM-07).
    """

    crm_first: Delivery
    webinars: Delivery
    crm_second: Delivery
    crm_again: Delivery


def write_files(company: Company, folder: Path) -> Deliveries:
    """Write the company's files; the two CRM exports part at two fifths of the time."""
    folder.mkdir(parents=True, exist_ok=True)
    contacts = [record for record in company.records if record.source == "crm"]
    visitors = [record for record in company.records if record.source == "webinar"]
    parting = Moment(company.start + (company.until - company.start) * 45 // 90)
    first = [record for record in contacts if record.time < parting]
    second = [record for record in contacts if record.time >= parting]

    def deliver(
        name: str, mapping: str, write: Callable[[Path, Sequence[Record]], None], rows: Any
    ) -> Delivery:
        write(folder / name, rows)
        return Delivery(folder / name, MAPPINGS / mapping)

    return Deliveries(
        crm_first=deliver("crm_export_1.csv", "crm.yaml", _write_csv, first),
        webinars=deliver("webinars.jsonl.gz", "webinar.yaml", _write_json_lines, visitors),
        crm_second=deliver("crm_export_2.csv", "crm.yaml", _write_csv, second),
        crm_again=deliver("crm_export_1_again.csv", "crm.yaml", _write_csv, first[::-1]),
    )


def _write_csv(path: Path, records: Sequence[Record]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0].body))
        writer.writeheader()
        writer.writerows(_columns(record) for record in records)


def _write_json_lines(path: Path, records: Sequence[Record]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(_columns(record), ensure_ascii=False) + "\n")


def _columns(record: Record) -> dict[str, str]:
    """The columns with their moments as ISO 8601."""
    return {
        name: to_iso(Moment(value)) if isinstance(value, int) else value
        for name, value in record.body.items()
    }
