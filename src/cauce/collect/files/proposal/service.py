"""Proposing a mapping for an unknown file, and trying it on the file's beginning."""

from pathlib import Path
from typing import NamedTuple

from cauce.collect.files.delivery import Unlogged
from cauce.collect.files.mapping.model import Kind
from cauce.collect.files.mapping.reading import read_mapping
from cauce.collect.files.proposal.draft import mapping_yaml, shape_of
from cauce.collect.files.proposal.kinds import Seen, see
from cauce.collect.files.proposal.layout import LINES, Layout, look
from cauce.collect.files.proposal.meaning import Meaning, meanings
from cauce.collect.files.result import ImportResult
from cauce.collect.files.service import import_file
from cauce.vocabulary.moment import Clock, Moment, to_iso
from cauce.vocabulary.yaml_lines import parse_yaml

_GLANCE = 1_000


class Proposal(NamedTuple):
    """A mapping as YAML with comments, what it was made from, and what it makes of the first lines."""

    yaml: str
    layout: Layout
    columns: list[Seen]
    meanings: dict[str, Meaning]
    tried: ImportResult


def propose(path: Path, *, owner: str, source: str, clock: Clock) -> Proposal:
    """Look at a file and draft a mapping for it; raises ``InvalidInput`` if it has no rows.

    Lines without a time of their own get that of the file's last change.
    """
    layout = look(path)
    columns = _seen(layout)
    meant = meanings(columns)
    shape = shape_of(columns, meant)
    changed = to_iso(Moment(path.stat().st_mtime_ns // 1_000))
    body = mapping_yaml(layout, columns, meant, shape, owner=owner, source=source, known_at=changed)
    mapping = read_mapping(parse_yaml(body, "the proposal"))
    tried = import_file(path, mapping, Unlogged(), clock=clock, dry_run=True, at_most=LINES)
    notes = [f"A proposal for {path.name}. Read it, correct it, and import with it.", *layout.notes]
    if len(layout.rows) >= LINES:
        notes.append(f"It was made from the first {LINES} lines.")
    head = "".join(f"# {note}\n" for note in (*notes, _told(tried)))
    return Proposal(f"{head}\n{body}", layout, columns, meant, tried)


def seen_at_a_glance(path: Path) -> list[str]:
    """What a file seems to be, in sentences: encoding, delimiter, header, and the kinds of its columns.

    Raises ``InvalidInput`` if it cannot be read as rows.
    """
    layout = look(path)
    few = layout._replace(rows=layout.rows[:_GLANCE])
    columns = ", ".join(f"{one.name} ({one.type.kind})" for one in _seen(few))
    return [*layout.notes, f"Its columns seem to be: {columns}."]


def _told(tried: ImportResult) -> str:
    """What the draft makes of the lines that were looked at."""
    parts = [f"Tried on them: {tried.accepted} of {tried.read} lines make {tried.events} events"]
    if tried.duplicate:
        parts.append(f"{tried.duplicate} repeat others")
    if tried.quarantined:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(tried.reasons.items()))
        parts.append(f"{tried.quarantined} are refused ({reasons})")
    return f"{', '.join(parts)}."


def _seen(layout: Layout) -> list[Seen]:
    """Every column. If any date tells day from month, so are all read; else the day comes first."""
    cells = {name: [row[name] for row in layout.rows] for name in layout.columns}
    found = [see(name, cells[name], day_first=True) for name in layout.columns]
    told = [form for one in found if not one.doubt for form in one.type.formats if one.type.kind is Kind.TIME]
    if any(form.startswith("%m") for form in told) and not any(form.startswith("%d") for form in told):
        found = [see(name, cells[name], day_first=False) for name in layout.columns]
    return found
