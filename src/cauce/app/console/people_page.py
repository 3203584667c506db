"""A person: looked up by an identifier, with her graph as of a date, and why two identifiers are one."""

from nicegui import ui

from cauce.app.console.frame import frame
from cauce.app.console.graph import MOST_DRAWN, graph_options, standings
from cauce.app.console.parts import answered, box, field, note, row, table, text
from cauce.app.console.visit import Visit
from cauce.app.console.why_panel import show_why
from cauce.app.identity_why import WhyView, view_why
from cauce.app.profile_graph import view_graph
from cauce.app.profile_view import ProfileView, view_profile
from cauce.app.review import text_of
from cauce.identity.why_graph import DrawnLink, Picture
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import DAY, Moment, parse_iso

_EXAMPLE = "email:ann@example.org"


async def people_page(visit: Visit, identifier: str, as_of: str, other: str) -> None:
    """Show the search, and whoever it found."""
    words = visit.words
    with frame(visit, words.say("People")):
        _search(visit, identifier, as_of, other)
        if not identifier:
            note(words.say("Write an identifier of somebody to see who she is, and why."))
            return
        why, graph, record = box("section"), box("section"), box("section")
    session = visit.session

    def pictured() -> Picture:
        return view_graph(
            visit.composition, identifier, purpose=session.purpose, viewer=session.viewer, at=_end_of(as_of)
        )

    def explained() -> WhyView:
        return view_why(
            visit.composition,
            identifier,
            other,
            purpose=session.purpose,
            viewer=session.viewer,
            at=_end_of(as_of),
        )

    def recorded() -> ProfileView:
        at = visit.desk.clock()
        return view_profile(
            visit.composition, identifier, at=at, purpose=session.purpose, viewer=session.viewer
        )

    if other:
        await answered(words, why, explained, lambda found: show_why(words, found))
    await answered(words, graph, pictured, lambda found: _show_graph(visit, found))
    if not as_of:
        await answered(words, record, recorded, lambda found: _show_record(visit, found))


def _end_of(as_of: str) -> Moment | None:
    """The last moment of a day, in UTC; None for now."""
    if not as_of:
        return None
    day = parse_iso(as_of)
    if day is None:
        raise InvalidInput("as_of names no day.", hint="Write it as 2024-05-01.")
    return Moment(day + DAY - 1)


def _search(visit: Visit, identifier: str, as_of: str, other: str) -> None:
    words = visit.words
    with box("form", "card line", action="/people", method="get", role="search"):
        wanted = field("identifier", words.say("Identifier, as TYPE:VALUE"), identifier, hint=_EXAMPLE)
        wanted.props["required"] = True
        wanted.props["autofocus"] = not identifier
        field("other", words.say("Why she is, or is not, also"), other)
        field("as_of", words.say("As of the end of"), as_of, "date")
        text("button", words.say("Look up"), "button first", type="submit")


def _show_graph(visit: Visit, picture: Picture) -> None:
    words = visit.words
    text("h2", words.say("Her identifiers"))
    text("p", words.say("Profile {id}", id=picture.profile_id), "quiet")
    label = words.say("Graph of her identifiers; the tables below say the same.")
    chart = ui.echart(graph_options(words, picture), renderer="svg").classes("chart graph")
    chart.props["role"], chart.props["aria-label"] = "img", label
    if len(picture.links) > MOST_DRAWN or picture.left_out:
        note(words.say("The picture shows the best {n} links.", n=words.number(MOST_DRAWN)))
    names = standings(words)
    heads = (words.say("Type"), words.say("Value"), words.say("Standing"), words.say("First seen"))
    with table(words.say("Identifiers"), heads):
        for one in picture.identifiers:
            first = "" if one.first_time is None else words.moment(one.first_time)
            row(one.identifier.type, one.identifier.value, names[one.standing], first)
    _show_links(visit, [one for one in picture.links if not one.held])


def _show_links(visit: Visit, rejected: list[DrawnLink]) -> None:
    words = visit.words
    if not rejected:
        text("p", words.say("No link was rejected."))
        return
    heads = (words.say("Identifier"), words.say("Identifier"), words.say("Why it does not hold"))
    with table(words.say("Links that do not hold"), (*heads, words.say("Sources"), words.say("Last seen"))):
        for one in rejected:
            why = words.sentence(one.said) if one.said else ""
            sources = ", ".join(seen.source for seen in one.seen)
            last = max((seen.last_time for seen in one.seen), default=None)
            row(one.stronger, one.weaker, why, sources, "" if last is None else words.moment(last))


def _show_record(visit: Visit, view: ProfileView) -> None:
    words = visit.words
    text("h2", words.say("What is known of her"))
    if not view.profile.traits:
        text("p", words.say("No event said anything of her beside identifiers."))
        return
    heads = (words.say("Trait"), words.say("Value"), words.say("Source"), words.say("Said at"))
    with table(words.say("Golden record"), heads):
        for name, golden in sorted(view.profile.traits.items()):
            source = words.say("computed") if golden.computed else golden.source
            row(name, text_of(golden.value), source, words.moment(golden.time))
