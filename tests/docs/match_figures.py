"""Write the table of figures into the page on matching.

python -m tests.docs.match_figures
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from cauce.match.evaluate import evaluate, report
from cauce.match.reading import read_records
from cauce.vocabulary.moment import parse_iso
from demo.company import generate
from tests.truth.made_people import records

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/evaluate-matching.md"
DATA = ROOT.parent / "shared" / "data"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
_UNTIL = parse_iso("2026-06-30T12:00:00Z")
_COMPANY = {
    "customer": ("customer_no",),
    "first name": ("first_name", "firstName"),
    "last name": ("last_name", "lastName"),
    "name": ("name",),
    "email": ("email",),
    "phone": ("phone",),
    "street": ("street",),
    "post code": ("postcode",),
    "town": ("town",),
}


class Data(NamedTuple):
    """Records with the name of the column that holds the truth."""

    title: str
    table: pa.Table
    truth: str


def data() -> Iterator[Data]:
    """The data of the table, those that are here."""
    for title, name, truth in (
        ("FEBRL 1", "febrl1.csv", "rec_id"),
        ("FEBRL 3", "febrl3.csv", "rec_id"),
        ("fake_1000", "fake_1000.csv", "cluster"),
    ):
        if (DATA / name).exists():
            yield Data(title, read_records(DATA / name), truth)
    made = records(1_000, seed=1)
    columns = {name: pa.array([one.values[name] or None for one in made]) for name in made[0].values}
    del columns["national"]
    truth_of = pa.array([str(one.person) for one in made])
    yield Data("made households", pa.table({**columns, "truth": truth_of}), "truth")
    yield Data("generated company", company(), "truth")


def company() -> pa.Table:
    """What forms, CRM and webinar lists of the generated company say of its people, each row once."""
    rows: dict[tuple[str | None, ...], None] = {}
    for record in generate(until=_UNTIL).records:
        body: dict[str, Any] = record.body
        said = body if "type" not in body else body.get("traits") or body.get("context", {}).get("traits")
        if not said or body.get("type") == "group" or record.person is None:
            continue
        cells = (next((str(said[key]) for key in keys if said.get(key)), None) for keys in _COMPANY.values())
        rows.setdefault((*cells, str(record.person)), None)
    names = [*_COMPANY, "truth"]
    return pa.table(
        {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(names)}
    )


def row(one: Data) -> str:
    """A row of the table."""
    figures = report(evaluate(one.table, one.truth))
    pairwise, bcubed, clusters = figures["pairwise"], figures["bcubed"], figures["clusters"]
    shown = [
        *(f"{pairwise[name]:.4f}" for name in ("precision", "recall", "f1")),
        *(f"{bcubed['f1']:.4f}", f"{clusters['count']:,}", str(clusters["largest"])),
    ]
    return f"| {one.title} | {figures['records']:,} | {figures['people']:,} | {' | '.join(shown)} |"


def main() -> None:
    """Write the page's table anew."""
    head = "| data | records | people | precision | recall | F1 | B-cubed F1 | clusters | largest |"
    table = "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *map(row, data())])
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
