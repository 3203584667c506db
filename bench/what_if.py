"""What-if: other identity rules tried on the evidence of a state, and all that a plan tells of them.

``CAUCE_BENCH_EVENTS`` sets how many events there are, ten for each person; a million
unless it is set, ten million for the target. The floor reads the evidence and does nothing with it.
"""

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench.figures import Figure
from bench.rebuild import EACH, MANY, MEMORY, SEGMENTS
from bench.wide_log import fill
from cauce.app.compose import Composition
from cauce.app.pipeline import CLOCK
from cauce.app.plan.identity_model import WhatIf
from cauce.app.plan.identity_what_if import what_if
from cauce.app.rebuild.derive import Derivation, Resources
from cauce.app.settings_file import settings_file
from cauce.identity.rules import default_rules
from cauce.identity.stored_columns import stored_evidence
from cauce.vocabulary.definitions import Definitions, IdentityDef, SegmentDef
from cauce.vocabulary.moment import Moment, now

EVENTS = int(os.environ.get("CAUCE_BENCH_EVENTS", "1000000"))
TARGET = 60.0

_OWNER = "bench"


def _without(type_: str) -> dict[str, Any]:
    """The default rules without one type of identifier."""
    rules = default_rules()
    return rules | {"identifiers": [one for one in rules["identifiers"] if one["type"] != type_]}


def _shared(type_: str) -> dict[str, Any]:
    """The default rules with two people allowed where there was one."""
    rules = default_rules()
    changed = [one | {"limit": 2} if one["type"] == type_ else one for one in rules["identifiers"]]
    return rules | {"identifiers": changed}


CHANGES = {
    "two user ids a person": _shared("user_id"),
    "no phone numbers": _without("phone"),
    "no devices": _without("anonymous_id"),
}
"""The first makes nobody another person, the second a few, the third everybody."""


def _definitions(rules: dict[str, Any]) -> Definitions:
    return Definitions(
        identities={"person": IdentityDef(name="person", owner=_OWNER, rules=rules)},
        segments={
            key: SegmentDef(key=key, owner=_OWNER, rule=rule, anonymous=True)
            for key, rule in SEGMENTS.items()
        },
    )


@contextmanager
def _space() -> Iterator[Composition]:
    """A space with a wide log and the state that the default rules make of it."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "cauce.yaml").write_text(settings_file())
        fill(root, EVENTS, EVENTS // EACH)
        composition = Composition(root).with_definitions(_definitions(default_rules()))
        tick = composition.log.tick(now())
        parts = (composition.pipeline, composition.log, composition.normalization)
        Derivation(*parts, Resources(root / "scratch")).derive(tick.head, tick.moment)
        yield composition
        for store in (composition.state, composition.control, composition.log):
            store.close()


class _Took:
    """What a piece of work took: seconds, seconds of processors, and memory at its end in MB."""

    def __init__(self, work: Callable[[], object]) -> None:
        started, processor = perf_counter(), process_time()
        self.found = work()
        self.seconds, self.processor = perf_counter() - started, process_time() - processor
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _floor(composition: Composition) -> float:
    """Seconds that reading the evidence takes."""
    resources = Resources(composition.space.scratch)
    with resources.lake() as lake, composition.state.read() as reader:
        return _Took(lambda: stored_evidence(lake, reader, composition.identity.view)).seconds


def run() -> list[Figure]:
    """Try each change of the rules."""
    figures = []
    full = EVENTS >= MANY
    with _space() as composition:
        floor = _floor(composition)
        for name, rules in CHANGES.items():
            after = composition.with_definitions(_definitions(rules))
            with composition.state.read() as reader:
                at = Moment(reader.progress(CLOCK))
                took = _Took(lambda: what_if(composition, after, reader, at))  # noqa: B023
            assert isinstance(took.found, WhatIf)
            met = took.seconds <= TARGET or not full
            figures += [
                Figure(
                    f"what-if over {EVENTS / 1e6:g} M events: {name}",
                    took.seconds,
                    "s",
                    f"≤ {TARGET:g}" if full else "",
                    met,
                    took.seconds / floor,
                    "the same, reading the evidence only",
                ),
                Figure("  processor time", took.processor, "s", "", True),
                Figure("  memory", took.memory, "MB", f"≤ {MEMORY:,}", took.memory <= MEMORY),
            ]
    return figures


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what:56} {figure.value:12,.1f} {figure.unit} {figure.ratio or ''}")
