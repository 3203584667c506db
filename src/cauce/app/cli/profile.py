"""`cauce profile show`."""

from typing import Annotated

import typer

from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.compose import Composition
from cauce.app.profile_view import ProfileView, as_json, view_profile
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment, to_iso

app = typer.Typer()
profile = typer.Typer(no_args_is_help=True)
app.add_typer(profile, name="profile", help="Look people up.")


@profile.command()
def show(
    identifier: Annotated[
        str, typer.Argument(metavar="TYPE:VALUE", help="Any identifier, such as email:ann@example.org.")
    ],
    space: SpaceOption = HERE,
    why: Annotated[
        bool, typer.Option("--why", help="Also the values that lost, the rules, and why it is one person.")
    ] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show a person: identifiers, traits with their source and time, segments."""
    view = view_profile(
        Composition(space), identifier, purpose=Purpose(purpose), viewer=COMMAND_LINE, why=why
    )
    if json:
        print_json(as_json(view))
        return
    print_line(f"Profile {view.profile.profile_id}")
    print_line()
    print_table(("identifier",), [(one,) for one in view.profile.identifiers])
    print_line()
    traits = view.profile.traits.items()
    print_table(
        ("trait", "value", "source", "time", "message id"),
        [(name, _text(v.value), v.source, to_iso(Moment(v.time)), v.message_id) for name, v in traits],
    )
    print_line()
    print_table(("segment", "since"), [(key, to_iso(since)) for key, since in view.segments.items()])
    if why:
        _print_why(view)


def _print_why(view: ProfileView) -> None:
    print_line()
    print_table(
        ("trait", "rule", "value that lost", "source", "time", "message id"),
        [
            (name, reason.rule, _text(lost.value), lost.source, to_iso(Moment(lost.time)), lost.message_id)
            for name, reason in (view.profile.why or {}).items()
            for lost in reason.lost
        ],
    )
    print_line()
    print_table(
        ("seen together", "and", "one person", "why not", "events", "sources", "last time"),
        [
            (
                link.stronger,
                link.weaker,
                "yes" if link.held else "no",
                link.reason,
                link.events,
                ", ".join(link.sources),
                to_iso(link.last_time),
            )
            for link in view.links
        ],
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()
