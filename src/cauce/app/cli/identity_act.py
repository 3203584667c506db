"""`cauce identity merge`, `split`, `retract`, `withdraw`, `grant` and `acts`: by hand, with a reason."""

import uuid
from typing import Annotated, Any

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
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.identity_acts import Act, Wanted, acts, fold_alone, wait_for
from cauce.app.identity_acts import act as act_on
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.moment import to_iso
from cauce.vocabulary.statement import Op

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the log with your name.")]
IdOption = Annotated[str, typer.Option("--id", help="The act's id, so that a repetition changes nothing.")]
WaitOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for it.")
]
OneArgument = Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="An identifier.")]
OtherArgument = Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="Another one.")]
SomeArgument = Annotated[list[str], typer.Argument(metavar="TYPE:VALUE...", help="Identifiers.")]
PurposesOption = Annotated[
    list[str] | None, typer.Option("--for", metavar="PURPOSE", help="For this purpose only; repeatable.")
]
_WAIT = 30.0


def merge(
    one: OneArgument,
    other: OtherArgument,
    reason: ReasonOption,
    space: SpaceOption = HERE,
    id_: IdOption = "",
    wait: WaitOption = _WAIT,
    json: JsonOption = False,
) -> None:
    """State that two identifiers are one person's, whatever the limits say."""
    _act(space, Wanted(Op.SAME, reason, [one, other]), id_, wait, json=json)


def split(
    one: OneArgument,
    other: OtherArgument,
    reason: ReasonOption,
    space: SpaceOption = HERE,
    id_: IdOption = "",
    wait: WaitOption = _WAIT,
    json: JsonOption = False,
) -> None:
    """State that two identifiers are never one person's: who was one falls apart, and stays so."""
    _act(space, Wanted(Op.NEVER, reason, [one, other]), id_, wait, json=json)


def retract(
    events: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Message ids of events, or ids of acts.")
    ],
    reason: ReasonOption,
    space: SpaceOption = HERE,
    id_: IdOption = "",
    wait: WaitOption = _WAIT,
    json: JsonOption = False,
) -> None:
    """Let events no longer count, or take back acts: people are as if they had never come."""
    _act(space, Wanted(Op.RETRACT, reason, events=events), id_, wait, json=json)


def withdraw(
    identifiers: SomeArgument,
    reason: ReasonOption,
    purposes: PurposesOption = None,
    space: SpaceOption = HERE,
    id_: IdOption = "",
    wait: WaitOption = _WAIT,
    json: JsonOption = False,
) -> None:
    """Withdraw consent: what carried these identifiers until now counts no longer."""
    wanted = Wanted(Op.WITHDRAW, reason, identifiers, purposes=purposes or ())
    _act(space, wanted, id_, wait, json=json)


def grant(
    identifiers: SomeArgument,
    reason: ReasonOption,
    purposes: PurposesOption = None,
    space: SpaceOption = HERE,
    id_: IdOption = "",
    wait: WaitOption = _WAIT,
    json: JsonOption = False,
) -> None:
    """Grant consent again: what carries these identifiers from now on counts."""
    wanted = Wanted(Op.GRANT, reason, identifiers, purposes=purposes or ())
    _act(space, wanted, id_, wait, json=json)


def list_acts(
    space: SpaceOption = HERE, purpose: PurposeOption = OPERATIONS, json: JsonOption = False
) -> None:
    """List what was stated by hand: who, when, why, and whether it was taken back."""
    found = acts(Composition(space), purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if json:
        print_json([described(one) for one in found])
        return
    columns = ("id", "at", "by", "what", "of", "reason", "taken back")
    print_table(columns, [_row(one) for one in found])


def _act(space: Any, wanted: Wanted, id_: str, wait: float, *, json: bool) -> None:
    composition = Composition(space)
    fold_alone(composition, composition.log.head(), moment.now)  # so that everybody is known who came before
    made = act_on(composition, wanted, id_=id_ or str(uuid.uuid4()), now=moment.now(), viewer=command_line())
    fold_alone(composition, made.position, moment.now)
    folded = wait_for(composition, made.position, wait_seconds=wait)
    if json:
        print_json({**described(made), "in_effect": folded})
        return
    back = f"; take it back with `cauce identity retract {made.id}`"
    print_line(f"{made.saying.op} is stated{', and stays' if made.saying.op is Op.RETRACT else back}.")
    print_line("It is in effect." if folded else "It is not in effect yet: `cauce serve` folds it.")


def described(one: Act) -> dict[str, Any]:
    """An act as JSON."""
    return {
        "id": one.id,
        "position": one.position,
        "at": to_iso(one.at),
        "op": one.saying.op.value,
        "by": one.saying.by,
        "reason": one.saying.reason,
        "identifiers": list(one.saying.identifiers),
        "events": list(one.saying.events),
        "purposes": list(one.saying.purposes),
        "retracted": one.retracted,
    }


def _row(one: Act) -> tuple[str, ...]:
    said = one.saying
    of = ", ".join((*said.identifiers, *said.events))
    return one.id, to_iso(one.at), said.by, said.op.value, of, said.reason, "yes" if one.retracted else ""
