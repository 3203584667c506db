"""What other identity rules would mean, as tables that whoever writes to people can read."""

from collections.abc import Sequence

from cauce.app.cli.output import print_line, print_table
from cauce.app.plan.identity_model import Contradiction, Link, Merge, Somebody, Split, WhatIf
from cauce.vocabulary.exact import encode_json

_SHOWN = 3
"""How many people, links and values a table names; all that there are in ``--json``."""

_LONGEST = 60


def print_what_if(found: WhatIf) -> None:
    """People before and after, who falls together and apart and why, and the segments that change."""
    print_line()
    print_line(f"People: {found.before:,} → {found.after:,} ({found.after - found.before:+,})")
    merges, splits = found.merges, found.splits
    for count, text in (
        (merges.count, f"{merges.people:,} people fall together into {merges.count:,}"),
        (splits.count, f"{_people_who(splits.count, 'falls', 'fall')} apart into {splits.people:,}"),
        (found.vanish, f"{_people_who(found.vanish, 'has', 'have')} no identifier any more that counts"),
        (
            found.appear,
            f"{_people_who(found.appear, 'has', 'have')} only identifiers that did not count before",
        ),
    ):
        if count:
            print_line(f"  {text}.")
    _print_merges("Who falls together, the largest first", found.merges.largest)
    _print_merges("Several names or birth dates in one person", found.merges.mixed)
    _print_merges("Traits that contradict one another", found.merges.contradicting)
    _print_splits("Who falls apart, the largest first", found.splits.largest)
    if found.segments:
        _title("Segments")
        rows = [(one.segment, one.before, one.after, one.entering, one.leaving) for one in found.segments]
        print_table(("segment", "before", "after", "enter", "leave"), rows)


def _people_who(count: int, does: str, do: str) -> str:
    return f"{count:,} people {do}" if count > 1 else f"1 person {does}"


def _title(text: str) -> None:
    print_line()
    print_line(f"{text}:")


def _print_merges(title: str, merges: Sequence[Merge]) -> None:
    if not merges:
        return
    _title(title)
    rows = [
        (
            _name(one.person),
            one.person.size,
            _people(one.people, one.count),
            _links(one.links),
            _some([_contradiction(trait) for trait in one.contradictions], len(one.contradictions), "; "),
        )
        for one in merges
    ]
    print_table(("person", "identifiers", "was", "joined by", "contradicts"), rows)


def _print_splits(title: str, splits: Sequence[Split]) -> None:
    if not splits:
        return
    _title(title)
    rows = [
        (_name(one.person), one.person.size, _people(one.people, one.count), _links(one.links))
        for one in splits
    ]
    print_table(("person", "identifiers", "becomes", "no longer joined by"), rows)


def _name(person: Somebody) -> str:
    return _short(person.identifiers[0] if person.identifiers else person.profile_id)


def _people(people: Sequence[Somebody], count: int) -> str:
    return _some([f"{_name(one)} ({one.size})" for one in people], count, ", ")


def _links(links: Sequence[Link]) -> str:
    return _some([_link(one) for one in links], len(links), "; ")


def _link(link: Link) -> str:
    when = link.last_time.partition("T")[0]
    sources = "stated" if link.stated else ", ".join(link.sources) or "no source"
    reason = f": {link.reason}" if link.reason else ""
    return f"{_short(link.weaker)} – {_short(link.stronger)} ({sources}, {when}){reason}"


def _contradiction(found: Contradiction) -> str:
    values = [_value(one.value) for one in found.values]
    return f"{found.meaning or found.trait}: {_some(values, found.distinct, ' / ')}"


def _value(value: object) -> str:
    return _short(value if isinstance(value, str) else encode_json(value).decode())


def _some(texts: Sequence[str], count: int, between: str) -> str:
    """The first of some texts, and how many more there are."""
    more = f"{between}{count - _SHOWN:,} more" if count > _SHOWN else ""
    return between.join(texts[:_SHOWN]) + more


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
