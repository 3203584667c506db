"""`cauce serve`."""

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line
from cauce.app.compose import Composition
from cauce.app.logs import start_logging
from cauce.app.process_lock import Holder
from cauce.app.serve import serve as serve_space

app = typer.Typer()


@app.command()
def serve(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Run collector, worker and API until Ctrl-C; logs are JSON lines on standard error."""
    composition = Composition(space)
    start_logging("serve", composition.settings.serve.log_level)
    composition.definitions  # noqa: B018  wrong definitions are told before anything starts
    announce = _announce_to_programs if json else _announce
    raise typer.Exit(serve_space(composition.space, composition.settings, announce))


def _announce(serving: Holder) -> None:
    print_line(f"Collector: {serving.collector}")
    print_line(f"API:       {serving.api}/api/v1")
    print_line("Stop with Ctrl-C.")


def _announce_to_programs(serving: Holder) -> None:
    print_json({"ready": True, "pid": serving.pid, "collector": serving.collector, "api": serving.api})
