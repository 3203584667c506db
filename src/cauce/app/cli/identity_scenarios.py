"""`cauce identity scenarios`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.definitions import load_definitions
from cauce.app.scenario_files import BUILT_IN_SCENARIOS, Read, read_policies, read_scenarios
from cauce.app.scenario_matching import find_matcher
from cauce.app.settings import load_settings
from cauce.app.space import Space
from cauce.identity.scenario_policies import ScenarioPolicy, built_in_policies
from cauce.identity.scenario_run import Outcome, run
from cauce.identity.scenarios import Answer, Mailbox, Verdict

_WRONG = {Verdict.APART, Verdict.MIXED, Verdict.BOTH}


def scenarios(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Scenarios: files or folders.", show_default="EM-01 to EM-14"
        ),
    ] = None,
    policy: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Further policies: identity definitions, a file or a folder."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The matching model of the probabilistic policy."),
    ] = None,
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """Print what each identity policy makes of stories whose truth is known.

    The identity views of the space are among the policies, if there is one. Ends with
    code 1 if anything is not as a scenario expects.
    """
    policies = [*built_in_policies(*find_matcher(model)), *_own(space), *read_policies(policy or [])]
    read = read_scenarios(files or [BUILT_IN_SCENARIOS], [one.name for one in policies])
    found = [(one, [None if p.missing else run(one.scenario, p) for p in policies]) for one in read]
    if json:
        print_json(
            {"policies": [_policy(one) for one in policies], "scenarios": [_told(*one) for one in found]}
        )
    else:
        _print(policies, found)
    if any(outcome is not None and outcome.unexpected for _, outcomes in found for outcome in outcomes):
        raise typer.Exit(1)


def _own(root: Path) -> list[ScenarioPolicy]:
    """The identity views of the folder's space; none if it is no space."""
    space = Space(root)
    if not space.settings.is_file():
        return []
    settings = load_settings(space.settings).settings
    views = load_definitions(space.definitions, settings.purposes).identities
    return [ScenarioPolicy(name, view.rules) for name, view in views.items()]


def _policy(policy: ScenarioPolicy) -> dict[str, Any]:
    return {"name": policy.name, "needs": policy.missing or None}


def _told(one: Read, outcomes: Sequence[Outcome | None]) -> dict[str, Any]:
    """A scenario and its outcomes, for programs."""
    scenario = one.scenario
    return {
        "id": scenario.id,
        "title": scenario.title,
        "owner": scenario.owner,
        "place": one.place,
        "people": scenario.people,
        "outcomes": {outcome.policy: _outcome(one, outcome) for outcome in outcomes if outcome},
    }


def _outcome(one: Read, outcome: Outcome) -> dict[str, Any]:
    questions = zip(one.scenario.questions, outcome.answers, strict=True)
    return {
        "verdict": outcome.verdict,
        "right": outcome.verdict is Verdict.RIGHT,
        "people": outcome.groups,
        "candidates": outcome.doubts,
        "answers": [
            {"did": asked.did, "who": asked.who, "answer": answer, "truth": truth, "right": answer is truth}
            for asked, (answer, truth) in questions
        ],
        "addresses": {address: _facts(known) for address, known in outcome.addresses.items()},
        "unexpected": outcome.unexpected,
    }


def _facts(known: Mailbox) -> dict[str, Any]:
    return {name: getattr(known, name) for name in known.__struct_fields__ if name != "address"}


def _print(policies: Sequence[ScenarioPolicy], found: Sequence[tuple[Read, list[Outcome | None]]]) -> None:
    rows: list[list[str]] = []
    for one, outcomes in found:
        scenario = one.scenario
        rows.append([scenario.id, scenario.title, *map(_cell, outcomes)])
        for place, asked in enumerate(scenario.questions):
            cells = ["" if outcome is None else _answer(*outcome.answers[place]) for outcome in outcomes]
            rows.append(["", f"  {asked.did}? ({asked.who})", *cells])
        for mailbox in scenario.addresses:
            cells = ["" if outcome is None else _known(outcome, mailbox) for outcome in outcomes]
            rows.append(["", f"  {mailbox.address}", *cells])
    print_table(("scenario", "what happens", *(policy.name for policy in policies)), rows)
    print_line()
    print_line(
        "people: right; apart: one is in parts; mixed: two are one; unknown: in parts that may be one."
    )
    for needed in policies:
        if needed.missing:
            print_line(f"{needed.name}: needs Splink. {needed.missing}")
    for one, outcomes in found:
        for outcome in filter(None, outcomes):
            for what in outcome.unexpected:
                print_line(f"Not as expected: {one.place}: {one.scenario.id}, {outcome.policy}: {what}.")


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    mark = "wrong: " if outcome.verdict in _WRONG else ""
    return f"{mark}{outcome.verdict} ({len(outcome.groups)})"


def _answer(answer: Answer, truth: Answer) -> str:
    return answer if answer in (truth, Answer.UNKNOWN) else f"wrong: {answer}"


def _known(outcome: Outcome, asked: Mailbox) -> str:
    """What is known of an address, in a word or two."""
    known = outcome.addresses[asked.address]
    words = [
        f"{name.replace('_', ' ')} {value}"
        for name in ("superseded_by", "typo_of")
        if (value := getattr(known, name))
    ]
    words += [name.replace("_", " ") for name in ("dead", "role", "kept_out") if getattr(known, name)]
    return ", ".join(words) or "nothing"
