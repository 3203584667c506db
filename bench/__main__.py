"""`make bench`: every benchmark in turn, one table with ratios of the same run, and the same as JSON.

python -m bench [NAME …]
"""

import importlib
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

BENCHES = {
    "door": "accept over HTTP",
    "folding": "log → identities, profiles, segments, deliveries",
    "folding_postgres": "the same on PostgreSQL, with one worker and with two",
    "serving": "freshness, reads and memory of a served space",
    "eventlog_append": "append to the log",
    "eventlog_postgres": "append to the log on PostgreSQL",
    "eventlog_seal": "seal to Parquet",
    "sealed_count": "count in sealed files",
    "identity_stream": "resolve identities",
    "identity_why": "say why two identifiers are one person",
    "match": "match records by probability",
    "rebuild": "derive the state anew in bulk",
    "what_if": "try other identity rules",
    "file_import": "import files",
    "browser": "what the browser SDK costs a page",
    "webhook": "deliver webhooks",
}
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; 1 if a target was missed."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no benchmark {unknown[0]}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    console = Console(width=150)
    found: dict[str, list[Figure]] = {}
    for name in names or BENCHES:
        console.print(f"[dim]{name}: {BENCHES[name]} …[/dim]")
        started = time.monotonic()
        found[name] = importlib.import_module(f"bench.{name}").run()
        console.print(f"[dim]{name} took {time.monotonic() - started:.0f} s[/dim]")
    console.print(table(found))
    console.print(f"Written to {write(found)}")
    return 0 if all(figure.met for figures in found.values() for figure in figures) else 1


def table(found: dict[str, list[Figure]]) -> Table:
    """The figures as a table."""
    made = Table(title=f"{os.cpu_count()} processors, Python {platform.python_version()}")
    for column in ("what", "measured", "unit", "target", "ratio", "to", ""):
        made.add_column(column, justify="right" if column in ("measured", "ratio") else "left")
    for name, figures in found.items():
        made.add_section()
        made.add_row(f"[bold]{name}[/bold]")
        for figure in figures:
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
            mark = "" if not figure.target else "[green]met[/green]" if figure.met else "[red]missed[/red]"
            made.add_row(
                figure.what, f"{figure.value:,.1f}", figure.unit, figure.target, ratio, figure.floor, mark
            )
    return made


def write(found: dict[str, list[Figure]]) -> Path:
    """The figures as JSON, in a file named after the moment."""
    RESULTS.mkdir(exist_ok=True)
    moment = datetime.now(UTC)
    path = RESULTS / f"{moment:%Y%m%dT%H%M%SZ}.json"
    document = {
        "at": moment.isoformat(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "figures": {name: [figure._asdict() for figure in figures] for name, figures in found.items()},
    }
    path.write_text(json.dumps(document, indent=1))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
