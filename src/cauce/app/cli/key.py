"""`cauce key create|list|revoke`."""

from typing import Annotated, Any

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.compose import Composition
from cauce.govern.access import Scope
from cauce.govern.keys import IssuedKey, Key, KeyStore
from cauce.vocabulary import moment
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.moment import iso_or_none, to_iso
from cauce.vocabulary.nearest import did_you_mean

app = typer.Typer()
key = typer.Typer(no_args_is_help=True)
create = typer.Typer(no_args_is_help=True)
app.add_typer(key, name="key", help="Issue, list and revoke keys.")
key.add_typer(create, name="create", help="Issue a key; its secret is shown once.")


@create.command("write")
def create_write(
    source: Annotated[str, typer.Argument(help="The source whose events it sends.")],
    space: SpaceOption = HERE,
    name: Annotated[str, typer.Option(help="Who uses the key.", show_default="the source")] = "",
    json: JsonOption = False,
) -> None:
    """Issue a key with which a source sends events."""
    composition = Composition(space)
    sources = composition.definitions.sources
    if source not in sources:
        raise NotFound(f"There is no source {source}.", hint=did_you_mean(source, sources))
    _show(KeyStore(composition.control).issue_write_key(source, name=name, now=moment.now()), json)


@create.command("api")
def create_api(
    name: Annotated[
        str, typer.Argument(help="The program or person that uses it; it appears as the viewer.")
    ],
    scope: Annotated[
        list[str], typer.Option(help=f"What it allows: {', '.join(Scope)}. Repeat for several.")
    ],
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """Issue a key for the API."""
    _show(KeyStore(Composition(space).control).issue_api_key(name, scope, now=moment.now()), json)


@key.command("list")
def list_(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """List every key ever issued; secrets are not stored."""
    keys = [_described(one) for one in KeyStore(Composition(space).control).list()]
    if json:
        print_json(keys)
    else:
        columns = ("id", "kind", "name", "source", "scopes", "created", "revoked")
        print_table(columns, [[" ".join(c) if isinstance(c, list) else c for c in k.values()] for k in keys])


@key.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `cauce key list` shows.")],
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """End a key's validity, also in running processes."""
    revoked = KeyStore(Composition(space).control).revoke(key_id, now=moment.now())
    if json:
        print_json(_described(revoked))
    else:
        print_line(f"{revoked.id} ({revoked.kind} key of {revoked.name}) is revoked.")


def _show(issued: IssuedKey, json: bool) -> None:
    if json:
        print_json({**_described(issued.key), "secret": issued.secret})
    else:
        print_line(issued.secret)
        print_line(f"This is {issued.key.id}. Keep the secret: it is not shown again.")


def _described(one: Key) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "source": one.source,
        "scopes": sorted(one.scopes),
        "created": to_iso(one.created),
        "revoked": iso_or_none(one.revoked),
    }
