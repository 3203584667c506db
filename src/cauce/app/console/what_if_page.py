"""What if: what the folder's identity rules would make of the same events, as the plan tells it."""

from collections.abc import Sequence

from cauce.app.console.frame import frame
from cauce.app.console.language import Words
from cauce.app.console.parts import answered, box, button, note, row, table, text
from cauce.app.console.visit import Visit
from cauce.app.plan.identity_model import Contradiction, Link, Merge, SegmentSize, Somebody, Split, WhatIf
from cauce.app.plan.model import Plan
from cauce.app.plan.planning import make_plan
from cauce.app.review import text_of

_SHOWN = 3
"""How many people and links one cell names."""


async def what_if_page(visit: Visit) -> None:
    """Plan the folder and show what that means for people."""
    words = visit.words
    with frame(visit, words.say("What if")):
        text("p", words.say("What the rules in the folder would make of the same events. Nothing changes."))
        place = box("div")

    def planned() -> Plan:
        session, composition = visit.session, visit.composition
        return make_plan(
            composition,
            composition.folder_definitions(),
            now=visit.desk.clock(),
            purpose=session.purpose,
            viewer=session.viewer,
        )

    def show(plan: Plan) -> None:
        _show(words, plan)
        button(words.say("Look again"), look, "after")

    async def look() -> None:
        await answered(words, place, planned, show)

    await look()


def _show(words: Words, plan: Plan) -> None:
    if not plan.changes:
        note(words.say("The folder says the same as version {n}, which is applied.", n=plan.base), "good")
        return
    changed = ", ".join(f"{one.kind}/{one.name}" for one in plan.changes)
    text("p", words.say("Differs from version {n}: {changed}", n=plan.base, changed=changed))
    if plan.what_if is None:
        note(words.say("The people stay as they are."), "good")
    else:
        _people(words, plan.what_if)
    text("p", words.say("To apply this:"))
    with box("p"):
        text("code", f"cauce apply --at {plan.position}")


def _people(words: Words, found: WhatIf) -> None:
    with box("dl", "figures"):
        for label, value in (
            (words.say("People before"), found.before),
            (words.say("People after"), found.after),
            (words.say("Merges"), found.merges.count),
            (words.say("Splits"), found.splits.count),
            (words.say("People who vanish"), found.vanish),
            (words.say("People who appear"), found.appear),
        ):
            with box("div"):
                text("dt", label)
                text("dd", words.number(value))
    _merges(words, words.say("Who falls together, the largest first"), found.merges.largest)
    _merges(words, words.say("Several names or birth dates in one person"), found.merges.mixed)
    _merges(words, words.say("Traits that contradict one another"), found.merges.contradicting)
    _splits(words, found.splits.largest)
    _segments(words, found.segments)


def _merges(words: Words, title: str, merges: Sequence[Merge]) -> None:
    if not merges:
        return
    heads = (words.say("Person"), words.say("Identifiers"), words.say("Was"), words.say("Joined by"))
    with table(title, (*heads, words.say("Contradicts"))):
        for one in merges:
            row(
                _name(one.person),
                words.number(one.person.size),
                _named(words, one.people, one.count),
                _links(words, one.links),
                "; ".join(map(_contradiction, one.contradictions)),
            )


def _splits(words: Words, splits: Sequence[Split]) -> None:
    if not splits:
        return
    heads = (words.say("Person"), words.say("Identifiers"), words.say("Becomes"))
    with table(words.say("Who falls apart, the largest first"), (*heads, words.say("No longer joined by"))):
        for one in splits:
            row(
                _name(one.person),
                words.number(one.person.size),
                _named(words, one.people, one.count),
                _links(words, one.links),
            )


def _segments(words: Words, segments: Sequence[SegmentSize]) -> None:
    if not segments:
        return
    heads = (words.say("Segment"), words.say("Before"), words.say("After"), words.say("Enter"))
    with table(words.say("Segments that change"), (*heads, words.say("Leave"))):
        for one in segments:
            row(one.segment, *map(words.number, (one.before, one.after, one.entering, one.leaving)))


def _name(person: Somebody) -> str:
    return person.identifiers[0] if person.identifiers else person.profile_id


def _named(words: Words, people: Sequence[Somebody], count: int) -> str:
    return _some(words, [f"{_name(one)} ({one.size})" for one in people], count)


def _links(words: Words, links: Sequence[Link]) -> str:
    return _some(words, [_link(words, one) for one in links], len(links))


def _link(words: Words, link: Link) -> str:
    sources = words.say("stated") if link.stated else ", ".join(link.sources)
    when = words.moment(link.last_time)
    reason = f": {link.reason}" if link.reason else ""
    return f"{link.weaker} – {link.stronger} ({sources}, {when}){reason}"


def _contradiction(found: Contradiction) -> str:
    return f"{found.trait}: {' / '.join(text_of(one.value) for one in found.values[:_SHOWN])}"


def _some(words: Words, texts: Sequence[str], count: int) -> str:
    """The first of some texts, and how many more there are."""
    more = [words.several("{n} more", "{n} more", count - _SHOWN)] if count > _SHOWN else []
    return "; ".join([*texts[:_SHOWN], *more])
