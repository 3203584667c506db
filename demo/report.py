"""The printed result: rows in → person → segment → delivered, the scenarios, and the scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from demo.company import Company
from demo.scoring import Score, verdict, wrong_profiles

PRECISION_FLOOR = 0.99
RECALL_FLOOR = 0.9

Profiles = Mapping[str, Iterable[str]]


class RowsIn(NamedTuple):
    """What one source sent, and what became of it."""

    source: str
    door: str
    sent: int
    accepted: int
    duplicate: int
    quarantined: int


class SegmentRow(NamedTuple):
    """A segment and how often a destination was told of it; None where none is told."""

    key: str
    name: str
    members: int
    some: Sequence[str]
    entered: int | None
    left: int | None


def rows_in_table(rows: Sequence[RowsIn]) -> Table:
    """Rows in: per source, what was sent and what the log took."""
    table = _table("Rows in", "source", "through")
    for name in ("sent", "accepted", "duplicate", "quarantined"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.source, row.door, *(f"{number:,}" for number in row[2:]))
    totals = [sum(row[place] for row in rows if isinstance(row[place], int)) for place in range(2, 6)]  # type: ignore[misc]
    table.add_section()
    table.add_row("all", "", *(f"{number:,}" for number in totals))
    return table


def people_table(company: Company, profiles: Profiles) -> Table:
    """Persons: what there is in truth, and what Cauce made of the identifiers."""
    sizes = [len(list(members)) for members in profiles.values()]
    anonymous = sum(
        all(name.startswith("anonymous_id:") for name in members) for members in profiles.values()
    )
    table = _table("Persons", "what")
    table.add_column("number", justify="right")
    table.add_row("people in truth", f"{len(company.people):,}")
    table.add_row("identifiers recorded", f"{len(company.truth.identifiers):,}")
    table.add_row("identifiers in profiles (junk and role addresses are in none)", f"{sum(sizes):,}")
    table.add_row("profiles", f"{len(sizes):,}")
    table.add_row("of these, known by nothing but a browser", f"{anonymous:,}")
    return table


def segments_table(rows: Sequence[SegmentRow]) -> Table:
    """Segments with their members, and what the destination was told."""
    table = _table("Segments → delivered", "segment", "means")
    table.add_column("members", justify="right")
    table.add_column("told: entered", justify="right")
    table.add_column("told: left", justify="right")
    table.add_column("some members")
    for row in rows:
        told = ("" if number is None else f"{number:,}" for number in (row.entered, row.left))
        table.add_row(row.key, row.name, f"{row.members:,}", *told, ", ".join(row.some))
    return table


def scenarios_table(company: Company, found: Mapping[str, Profiles]) -> Table:
    """The scenarios under each policy: persons found, and whether that is the truth."""
    table = _table("Scenarios: persons found", "", "scenario")
    table.add_column("in truth", justify="right")
    for policy in found:
        table.add_column(policy, justify="right")
    table.add_column("rules can know", justify="right")
    for scenario in company.scenarios:
        cells = []
        for profiles in found.values():
            persons, right = verdict(scenario, company.truth, profiles)
            cells.append(Text(f"{persons} {'✓' if right else '✗'}", style="green" if right else "red"))
        known = "yes" if scenario.knowable else "no"
        table.add_row(scenario.id, scenario.title, str(len(scenario.people)), *cells, known)
    return table


def mixed_people(company: Company, profiles: Profiles) -> str:
    """The profiles that hold identifiers of several owners, by the names of these."""
    names = {person.number: person.name for person in company.people}
    lines = []
    for _, members in wrong_profiles(company.truth, profiles):
        owners = {company.truth.identifiers[name].owner for name in members}
        lines.append("  " + ", ".join(sorted(names[one] if one else "something nobody's" for one in owners)))
    return "\n".join([f"Profiles in which several people are mixed: {len(lines)}", *sorted(lines)])


def beyond_rules(company: Company) -> str:
    """Which scenarios deterministic rules cannot know, and why."""
    lines = [f"  {one.id}: {one.why}." for one in company.scenarios if not one.knowable]
    return "\n".join(["What deterministic rules cannot know, and why:", *lines])


def scores_table(scores: Mapping[str, Score]) -> Table:
    """Precision and recall of the merges, the first row being Cauce's own answer."""
    table = _table("Merges against the truth, over pairs of identifiers", "policy")
    for name in (
        "precision",
        "recall: knowable",
        "recall: all",
        "joined pairs",
        "of these wrong",
        "true pairs",
    ):
        table.add_column(name, justify="right")
    for policy, score in scores.items():
        table.add_row(
            policy,
            f"{score.precision:.4f}",
            f"{score.knowable_recall:.4f}",
            f"{score.recall:.4f}",
            f"{score.joined:,}",
            f"{score.joined - score.joined_true:,}",
            f"{score.true:,}",
        )
    return table


COUNTING = """\
What is counted: a pair is two identifiers; it is joined if one profile holds both, true if both belong
to one person. A shared device or phone belongs to whoever was last named on it. Junk, role addresses and
the kiosk belong to nobody: joining them to anybody is wrong. Nothing is excused from precision.
Knowable pairs are those that a chain of the person's own events connects; the rest of the true pairs
(a cookie that never met a name, two addresses that no event names together) no rule of this kind can know."""


def passed(score: Score) -> bool:
    """Whether the merges are as good as deterministic rules must be."""
    return score.precision >= PRECISION_FLOOR and score.knowable_recall >= RECALL_FLOOR


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None)
    for column in columns:
        table.add_column(column)
    return table
