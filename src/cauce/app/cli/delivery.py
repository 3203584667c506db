"""`cauce delivery list|show|replay`."""

from typing import Annotated

import typer
from msgspec.structs import asdict, astuple

from cauce.activate.deliveries import Deliveries
from cauce.activate.delivery import State
from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    LimitOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.compose import Composition
from cauce.app.delivery_view import ReceiptDocument, describe_delivery, describe_receipt
from cauce.app.profile_ids import every_profile_id
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import InvalidInput

app = typer.Typer()
delivery = typer.Typer(no_args_is_help=True)
app.add_typer(delivery, name="delivery", help="See what other systems were told, and send it again.")

DestinationOption = Annotated[str, typer.Option("--destination", help="Only those to this destination.")]


@delivery.command("list")
def list_(
    space: SpaceOption = HERE,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    destination: DestinationOption = "",
    person: Annotated[
        str,
        typer.Option("--person", metavar="TYPE:VALUE", help="Only those about whoever has this identifier."),
    ] = "",
    limit: LimitOption = 20,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """List deliveries, newest change first."""
    composition = Composition(space)
    people = None
    if person:
        people = every_profile_id(composition, person, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    found = _deliveries(composition).recent(
        people=people,
        purpose=Purpose(purpose),
        viewer=COMMAND_LINE,
        state=state,
        destination=destination or None,
        limit=limit,
    )
    if json:
        print_json([describe_delivery(one) for one in found])
    else:
        columns = ("id", "destination", "segment", "profile id", "change", "state", "attempts", "error")
        rows = map(describe_delivery, found)
        print_table(
            columns,
            [
                (d.id, d.destination, d.segment, d.profile_id, d.change, d.state, d.attempts, d.error)
                for d in rows
            ],
        )


@delivery.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The id that `cauce delivery list` shows.")],
    space: SpaceOption = HERE,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show a delivery and a receipt of each of its attempts."""
    told = _deliveries(Composition(space)).find(id_, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    shown = describe_delivery(told.delivery)
    receipts = [describe_receipt(one) for one in told.receipts]
    if json:
        print_json({**asdict(shown), "receipts": receipts})
        return
    print_table(("field", "value"), list(asdict(shown).items()))
    print_line()
    print_table(ReceiptDocument.__struct_fields__, [astuple(one) for one in receipts])


@delivery.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Those to send again.")] = None,
    space: SpaceOption = HERE,
    destination: DestinationOption = "",
    everything: Annotated[bool, typer.Option("--all", help="All dead letters of the space.")] = False,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Also those that a newer change made obsolete.")
    ] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Queue dead and dropped ones again, with the same key and body."""
    if not (ids or destination or everything):
        raise InvalidInput("Nothing was named.", hint="Give ids, --destination NAME or --all.")
    done = _deliveries(Composition(space)).replay(
        purpose=Purpose(purpose),
        viewer=COMMAND_LINE,
        ids=ids or None,
        destination=destination or None,
        superseded=superseded,
    )
    if json:
        print_json(done._asdict())
    else:
        print_line(f"{done.queued} queued again; {done.superseded} left, as a newer change was told.")


def _deliveries(composition: Composition) -> Deliveries:
    return Deliveries(composition.state, moment.now, composition.access.require)
