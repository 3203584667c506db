"""The tour: play the company, wait until everything is told, print what happened, and keep running."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cauce.identity import simulate
from cauce.vocabulary.moment import DAY, SECOND, Moment, now, to_iso
from demo.company import Company, generate
from demo.files import Delivery, write_files
from demo.looks import looks, serve_command
from demo.player import BROKEN, Batch, Door, Played, play
from demo.reading import Imported, Reading
from demo.receiver import Inbox, Receiver
from demo.report import (
    COUNTING,
    PRECISION_FLOOR,
    RECALL_FLOOR,
    Profiles,
    beyond_rules,
    mixed_people,
    passed,
    people_table,
    rows_in_table,
    scenarios_table,
    scores_table,
    segments_table,
)
from demo.scoring import Score, score
from demo.simulation import IN_FORCE, observations, policies
from demo.space import RECEIVER_PORT, DemoSpace, cauce_json, free_port, make_space, new_secret, serving

ANSWER = "Cauce"
"""The column of what the running system says; the others are simulated on the same records."""

_WIDTH = 130


class Options(NamedTuple):
    """How the demo runs."""

    space: Path
    once: bool
    people: int
    days: int
    seed: int


def run(options: Options) -> int:
    """Run the demo; 0 if the merges are good enough, otherwise 1."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    until = Moment(now() // SECOND * SECOND)
    company = generate(until=until, people=options.people, days=options.days, seed=options.seed)
    _introduce(company, console)
    secret = new_secret()
    with Receiver(secret, free_port(RECEIVER_PORT)) as receiver:
        with console.status("making the space"):
            space = make_space(options.space, receiver=receiver.url, secret=secret)
        with serving(space), closing(Reading(space)) as reading:
            played, imported = _play(company, space, console)
            with console.status("waiting until all is folded and told"):
                reading.wait_until_settled()
            result = _print_result(company, reading, played, imported, receiver.inbox, console)
            _print_looks(space, console, once=options.once)
            _judge(result, console)
            if not options.once:
                _keep_running(space, receiver, console)
    return 0 if passed(result) else 1


def _introduce(company: Company, console: Console) -> None:
    names = len({record.event for record in company.records})
    days = (company.until - company.start) // DAY
    console.print(
        f"A shop with {len(company.people)} people: {len(company.records):,} events of {names} names "
        f"in the {days} days until {to_iso(company.until)}."
    )


def _play(company: Company, space: DemoSpace, console: Console) -> tuple[Played, list[Imported]]:
    """Live systems send two thirds; files are imported; the rest follows; an old file comes again."""
    files = write_files(company, space.root / "files")
    door = Door(space.collector, space.write_keys, clock=now)
    rng = random.Random(company.records[0].id)
    parting = Moment(company.start + (company.until - company.start) * 2 // 3)
    imported = []
    with _progress(console, len(company.records)) as told:
        door.send(Batch("web", BROKEN), 0)
        play((r for r in company.records if r.time < parting), door, rng, progress=told)
        imported += [_import(delivery, space, told) for delivery in (files.crm_first, files.webinars)]
        play((r for r in company.records if r.time >= parting), door, rng, progress=told)
        imported.append(_import(files.crm_second, space, told))
    imported.append(_import(files.crm_again, space, _tell_nobody))
    door.close()
    return door.played, imported


def _import(delivery: Delivery, space: DemoSpace, told: Callable[[int], None]) -> Imported:
    mapping, root = str(delivery.mapping), str(space.root)
    counts = cauce_json("import", str(delivery.file), "--mapping", mapping, "--space", root)
    told(counts["read"])
    return Imported(delivery.file.name, **counts)


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("playing", total=total)
        yield lambda count: shown.advance(task, count)


def _print_result(
    company: Company,
    reading: Reading,
    played: Played,
    imported: list[Imported],
    inbox: Inbox,
    console: Console,
) -> Score:
    """Print the tables; the score of the running system's merges."""
    found: dict[str, Profiles] = {ANSWER: reading.profiles(company.truth.identifiers)}
    seen = observations(company.records)
    found |= {name: simulate(rules, seen) for name, rules in policies().items() if name != IN_FORCE}
    scores = {policy: score(company.truth, profiles) for policy, profiles in found.items()}
    for table in (
        rows_in_table(reading.rows_in(played, imported)),
        people_table(company, found[ANSWER]),
        segments_table(reading.segments(inbox)),
        scenarios_table(company, found),
        scores_table(scores),
    ):
        console.print()
        console.print(table)
    mixed = mixed_people(company, found[ANSWER])
    console.print(f"\n{mixed}\n\n{beyond_rules(company)}\n\n{COUNTING}", highlight=False)
    console.print(
        f"\n{inbox.requests} requests reached the receiver, {inbox.busy} of them while it was busy; "
        f"{len(inbox)} different messages got through, {inbox.forged} with a wrong signature."
    )
    return scores[ANSWER]


def _judge(result: Score, console: Console) -> None:
    verdict = "good enough" if passed(result) else "NOT GOOD ENOUGH"
    console.print(
        f"\nMerges: precision {result.precision:.4f} (at least {PRECISION_FLOOR}), recall of what rules can "
        f"know {result.knowable_recall:.4f} (at least {RECALL_FLOOR}): {verdict}."
    )


def _print_looks(space: DemoSpace, console: Console, *, once: bool) -> None:
    serve = f" (the API of the last one answers while `{serve_command(space)}` runs)" if once else ""
    console.print(f"\nFive things to look at{serve}:", highlight=False)
    for number, look in enumerate(looks(space), 1):
        console.print(f"\n{number}. {look.what}", highlight=False)
        console.print(f"   $ {look.command}", highlight=False, soft_wrap=True, markup=False)


def _keep_running(space: DemoSpace, receiver: Receiver, console: Console) -> None:
    """Say what answers, and wait for Ctrl-C."""
    console.print(
        f"\nEverything runs until you press Ctrl-C:\n"
        f"  tracking API  {space.collector}/v1/batch\n"
        f"  API           {space.api}/api/v1\n"
        f"  receiver      {receiver.url}/members",
        highlight=False,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _tell_nobody(_: int) -> None:
    """An import that nobody waits for."""
