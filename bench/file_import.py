"""Import of files: lines per second beside reading the same file plainly, and memory."""

import csv
import gzip
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from cauce.collect.files import import_file, load_mapping
from cauce.eventlog.sqlite import SqliteLog
from cauce.storage import garbage
from cauce.vocabulary.moment import now

ROOT = Path(__file__).parents[1]
RETAIL = ROOT.parent / "shared/data/online_retail.csv.gz"
RETAIL_MAPPING = ROOT / "examples/online_retail/mapping.yaml"
CONTACTS_MAPPING = ROOT / "examples/contacts/mapping.yaml"
TARGET = 60_000
CONTACTS = 200_000
FLOOR = "decompress, decode, split"
_HEADER = "contact_id;customer_no;first_name;last_name;email;phone;city;newsletter;revenue;modified_at\n"


def run() -> list[Figure]:
    """Import Online Retail (if it is there) and generated contacts, each into an empty log and again."""
    figures: list[Figure] = []
    garbage.look_seldom()  # as the command does
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if RETAIL.exists():
            figures += _measured(
                "import invoices, many lines an event", RETAIL, RETAIL_MAPPING, folder, TARGET
            )
        contacts = _contacts(folder / "contacts.csv.gz")
        figures += _measured("import, a line an event", contacts, CONTACTS_MAPPING, folder, TARGET)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.append(Figure("memory of the importing process", peak, "MB", "", True))
    return figures


def _measured(what: str, file: Path, mapping: Path, folder: Path, target: int = 0) -> list[Figure]:
    floor = _plainly(file)
    space = folder / file.name.partition(".")[0]
    space.mkdir()
    log = SqliteLog(space)
    rates = []
    for _ in range(2):
        start = time.perf_counter()
        result = import_file(file, load_mapping(mapping), log, clock=now, processes=2)
        rates.append(result.read / (time.perf_counter() - start))
    log.close()
    new, again = rates
    return [
        Figure(what, new, "lines/s", f"≥ {target:,}" if target else "", new >= target, new / floor, FLOOR),
        Figure(f"{what}, again", again, "lines/s", "", True, again / floor, FLOOR),
    ]


def _plainly(file: Path) -> float:
    """Lines per second of the standard library: decompress, decode, split into cells."""
    start = time.perf_counter()
    with gzip.open(file, "rt", encoding="latin-1", newline="") as lines:
        number = sum(1 for _ in csv.reader(lines))
    return number / (time.perf_counter() - start)


def _contacts(path: Path) -> Path:
    rng = random.Random(7)
    with gzip.open(path, "wt", encoding="cp1252", compresslevel=1) as file:
        file.write(_HEADER)
        for number in range(CONTACTS):
            file.write(
                f"C-{number};{number // 3};Name{rng.randrange(5000)};Surname{rng.randrange(9000)};"
                f"u{number}@example.org;6{rng.randrange(10**8):08};Málaga;{rng.choice(['sí', 'no'])};"
                f"{rng.randrange(10**6)},{rng.randrange(100):02};"
                f"{rng.randrange(1, 29):02}/0{rng.randrange(1, 10)}/2024 {rng.randrange(24):02}:15\n"
            )
    return path


if __name__ == "__main__":
    for figure in run():
        sys.stdout.write(f"{figure.what}: {figure.value:,.0f} {figure.unit}, {figure.ratio or 0:.2f}\n")
