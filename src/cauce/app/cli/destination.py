"""`cauce destination list|show|test`."""

import os
import uuid
from typing import Annotated, Any

import typer

from cauce.activate.delivery import Outcome
from cauce.activate.destinations import ready
from cauce.activate.status import Destinations, Status
from cauce.activate.trial import try_out
from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.compose import Composition
from cauce.app.destination_view import as_json
from cauce.vocabulary import moment
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.moment import to_iso

app = typer.Typer()
destination = typer.Typer(no_args_is_help=True)
app.add_typer(destination, name="destination", help="See where other systems stand, and try them out.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The destination.")]


@destination.command("list")
def list_(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """List destinations: what waits for each, and what is wrong."""
    found = _destinations(Composition(space)).all()
    if json:
        print_json([as_json(one) for one in found])
        return
    columns = ("name", "kind", "segments", "waiting", "dead", "oldest", "error")
    print_table(columns, [_line(one) for one in found])


def _line(one: Status) -> tuple[object, ...]:
    definition = one.definition
    kind = f"{definition.kind}, paused" if definition.paused else str(definition.kind)
    oldest = "" if one.oldest is None else to_iso(one.oldest)
    return (
        definition.name,
        kind,
        ", ".join(one.segments),
        one.waiting,
        one.counts.get("dead", 0),
        oldest,
        one.error,
    )


@destination.command()
def show(name: NameArgument, space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Show one destination: its definition, what it is owed, its last file or comparison."""
    document = as_json(_destinations(Composition(space)).one(name))
    if json:
        print_json(document)
        return
    print_table(("field", "value"), [(field, _plain(value)) for field, value in document.items()])


def _plain(value: Any) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@destination.command()
def test(name: NameArgument, space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Make one marked test delivery, and print what was sent and what came of it."""
    composition = Composition(space)
    settings = composition.settings.activate
    definition = _destinations(composition).one(name).definition
    found = ready([definition], environment=os.environ, folder=space, folders=settings.folders)
    if not found:
        raise Conflict(
            f"The destination {name} is paused.", hint="Remove `paused: true` from its definition."
        )
    trial = try_out(found[0], settings, moment.now, lambda: str(uuid.uuid4()))
    if json:
        print_json({"sent": trial.sent, "answer": trial.answer._asdict()})
    else:
        for line in trial.sent:
            print_line(line)
        print_line()
        status = "" if trial.answer.status is None else f" (status {trial.answer.status})"
        print_line(f"{trial.answer.outcome}{status} {trial.answer.error}".strip())
    if trial.answer.outcome is not Outcome.DELIVERED:
        raise typer.Exit(1)


def _destinations(composition: Composition) -> Destinations:
    return Destinations(composition.state, composition.definitions)
