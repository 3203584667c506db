"""`cauce serve`."""

import logging
import os

import typer

from cauce.activate.destinations import ready
from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.in_force import apply_first, folder_differs
from cauce.app.logs import start_logging
from cauce.app.process_lock import Holder
from cauce.app.serve import serve as serve_space
from cauce.app.upgrade import stored_revisions, upgrade
from cauce.storage.revisions import NEWEST
from cauce.vocabulary import moment

app = typer.Typer()
logger = logging.getLogger(__name__)


@app.command()
def serve(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Run collector, worker, API and console until Ctrl-C; logs are JSON lines on standard error.

    The first time, the definitions of the folder are applied; later on, `cauce apply` does it.
    """
    composition = Composition(space)
    start_logging("serve", composition.settings.serve.log_level)
    _bring_up_to_date(composition)
    _settle_definitions(composition)
    announce = _announce_to_programs if json else _announce
    raise typer.Exit(serve_space(composition.space, composition.settings, announce))


def _bring_up_to_date(composition: Composition) -> None:
    """Upgrade stores that an older version made, before anything reads them."""
    older = {store: found for store, found in stored_revisions(composition).items() if found < NEWEST[store]}
    if older:
        logger.warning("stores of an older version are brought up to date: %s", ", ".join(sorted(older)))
        for one in upgrade(composition):
            logger.warning("%s store: revision %s became %s", *one)


def _settle_definitions(composition: Composition) -> None:
    """Apply the folder if nothing ever was; tell what is wrong or differs before anything starts."""
    if apply_first(composition, command_line(), now=moment.now()) is None and folder_differs(composition):
        logger.warning(
            "the folder differs from version %d, which is in force: `cauce plan` shows how, `cauce apply` "
            "applies it",
            composition.applied,
        )
    destinations = composition.definitions.destinations.values()
    ready(destinations, environment=os.environ, folder=composition.space.root)


def _announce(serving: Holder) -> None:
    print_line(f"Collector: {serving.collector}")
    print_line(f"API:       {serving.api}/api/v1")
    if serving.console:
        print_line(f"Console:   {serving.console}")
    print_line("Stop with Ctrl-C.")


def _announce_to_programs(serving: Holder) -> None:
    print_json(
        {
            "ready": True,
            "pid": serving.pid,
            "collector": serving.collector,
            "api": serving.api,
            "console": serving.console or None,
            "workers": serving.workers,
        }
    )
