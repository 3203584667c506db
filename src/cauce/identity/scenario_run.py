"""Scenarios run: what each policy makes of each, and whether that is the truth and what was expected."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cauce.identity.scenario_mail import mailboxes
from cauce.identity.scenario_people import People, people_of, prepare
from cauce.identity.scenario_policies import ScenarioPolicy
from cauce.identity.scenarios import Answer, Mailbox, Scenario, Verdict


class Answered(NamedTuple):
    """The answer to a question of the scenario, and the true one."""

    answer: Answer
    truth: Answer


class Outcome(NamedTuple):
    """What a policy makes of a scenario; ``addresses`` are those that the scenario asks about.

    ``unexpected`` says, in sentences, what is not as the scenario's owner expects.
    """

    policy: str
    verdict: Verdict
    groups: list[list[str]]
    doubts: list[list[str]]
    answers: list[Answered]
    addresses: dict[str, Mailbox]
    unexpected: list[str]


def run(scenario: Scenario, policy: ScenarioPolicy) -> Outcome:
    """Try a policy on a scenario; raises ``BadSettings`` or ``InvalidInput`` if rules or events are wrong."""
    prepared = prepare(policy.rules)
    people = people_of(scenario, policy)
    truth = {name: [prepared.normal(one) for one in own] for name, own in scenario.people.items()}
    verdict = _verdict(people, truth, [prepared.normal(one) for one in scenario.nobody])
    answers = [_answer(people, truth, prepared.normal(one.who), one.did) for one in scenario.questions]
    known = mailboxes(people, prepared.policy.ruleset.normalization) if scenario.addresses else {}
    asked = {one.address: known.get(one.address, Mailbox(address=one.address)) for one in scenario.addresses}
    outcome = Outcome(policy.name, verdict, _sorted(people.groups), _doubts(people), answers, asked, [])
    outcome.unexpected.extend(_unexpected(scenario, outcome))
    return outcome


def _verdict(people: People, truth: Mapping[str, Sequence[str]], nobody: Iterable[str]) -> Verdict:
    parts = {name: _groups(people, own) for name, own in truth.items()}
    everybody = [group for found in parts.values() for group in found]
    mixed = len(everybody) > len(set(everybody)) or not _groups(people, nobody).isdisjoint(everybody)
    apart = [found for found in parts.values() if len(found) > 1]
    if mixed:
        return Verdict.BOTH if apart else Verdict.MIXED
    if not apart:
        return Verdict.RIGHT
    return Verdict.UNKNOWN if all(_connected(people, found) for found in apart) else Verdict.APART


def _groups(people: People, identifiers: Iterable[str]) -> set[int]:
    return {group for one in identifiers if (group := people.of(one)) is not None}


def _connected(people: People, groups: set[int]) -> bool:
    """Whether doubts lead from each of these groups to every other."""
    reached, new = set[int](), {min(groups)}
    while new:
        reached |= new
        new = {other for group in new for other in people.beside(group)} & groups - reached
    return reached == groups


def _answer(people: People, truth: Mapping[str, Sequence[str]], who: str, did: str) -> Answered:
    """Yes if she did it, unknown if a candidate of hers did, otherwise no."""
    doers = {one.group for one in people.happened if one.told.event == did}
    own = next(identifiers for identifiers in truth.values() if who in identifiers)
    true = any(
        one.told.event == did and not {str(found) for found in one.seen.identifiers}.isdisjoint(own)
        for one in people.happened
    )
    group = people.of(who)
    if group is not None and group in doers:
        found = Answer.YES
    elif group is not None and not doers.isdisjoint(people.beside(group)):
        found = Answer.UNKNOWN
    else:
        found = Answer.NO
    return Answered(found, Answer.YES if true else Answer.NO)


def _sorted(groups: Iterable[Iterable[str]]) -> list[list[str]]:
    return sorted(sorted(group) for group in groups)


def _doubts(people: People) -> list[list[str]]:
    """The pairs that may be one person, each by its anchor."""
    return _sorted((people.anchors[group] for group in pair) for pair in people.doubts)


def _unexpected(scenario: Scenario, found: Outcome) -> Iterable[str]:
    wanted = scenario.expect.get(found.policy)
    if wanted is not None and wanted is not found.verdict:
        yield f"the people are {found.verdict}, expected {wanted}"
    for question, (answer, _) in zip(scenario.questions, found.answers, strict=True):
        answer_wanted = question.expect.get(found.policy)
        if answer_wanted is not None and answer_wanted is not answer:
            yield f"{question.did} of {question.who}: {answer}, expected {answer_wanted}"
    for mailbox in scenario.addresses:
        known = found.addresses[mailbox.address]
        for name in _ALWAYS if found.verdict is not Verdict.RIGHT else mailbox.__struct_fields__:
            if getattr(known, name) != getattr(mailbox, name):
                yield (
                    f"{mailbox.address}: {name} is {_word(getattr(known, name))}, "
                    f"expected {_word(getattr(mailbox, name))}"
                )


_ALWAYS = ("superseded_by", "dead", "role", "kept_out")
"""What must be known of an address whoever the people are."""


def _word(value: object) -> str:
    return "yes" if value is True else "no" if value is False else str(value) or "nothing"
