"""Applying definitions: another version, if they are those that were planned.

A plan's numbers belong to a snapshot of the state, which its position names. Events
go on arriving, so the position does not ask that the log stand still; it asks that
somebody looked: at exactly these definitions, over exactly the version that is
applied, not longer ago than ``definitions.plan_hours``.
"""

from collections.abc import Callable
from time import monotonic, sleep

from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.pipeline import VERSION
from cauce.app.plan.identity import swap_if_needed
from cauce.app.process_lock import process_lock, who_holds
from cauce.app.rebuilding import waits_for_rebuild
from cauce.govern.access import Scope
from cauce.govern.versions import Planned, Version
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import contents, hash_of_all
from cauce.vocabulary.errors import Conflict, NotAllowed
from cauce.vocabulary.moment import HOUR, Clock, Moment

_LOOK_SECONDS = 0.05
_PLAN = "Look at what would change with `cauce plan`, and give the position that it prints."


class NotPlanned(Conflict):
    """These definitions were not planned over this version at this position, or too long ago."""

    code = "not_planned"


def apply(
    composition: Composition,
    candidate: Definitions,
    *,
    at: int | None,
    now: Moment,
    viewer: Viewer,
    note: str = "",
    again: int | None = None,
) -> Version | None:
    """Apply definitions planned at a position, or unseen if ``at`` is None; None if they are applied already.

    ``again`` is the version that they are, in a rollback. Raises ``NotPlanned``
    if no plan fits, ``Conflict`` if another version was applied meanwhile, and
    ``NotAllowed`` if the viewer may not apply.
    """
    require_define(viewer)
    if is_applied(composition, candidate):
        return None
    kept = contents(candidate)
    base = composition.versions.latest()
    if at is not None:
        _require_plan(composition, at, base, hash_of_all(kept), now)
    return composition.versions.add(kept, base=base, now=now, viewer=viewer, note=note, again=again)


def require_define(viewer: Viewer) -> None:
    """Raise ``NotAllowed`` unless the viewer may plan and apply definitions."""
    if Scope.DEFINE not in viewer.scopes:
        raise NotAllowed(
            f"{viewer.name} lacks the scope {Scope.DEFINE}.",
            hint=f"Use a key that has it: `cauce key create api NAME --scope {Scope.DEFINE}`.",
        )


def is_applied(composition: Composition, candidate: Definitions) -> bool:
    """Whether the applied version says the same."""
    latest = composition.versions.latest()
    return bool(latest) and composition.versions.version(latest).hash == hash_of_all(contents(candidate))


def _require_plan(composition: Composition, at: int, base: int, hashed: str, now: Moment) -> None:
    """Raise ``NotPlanned`` unless a plan fits, saying in what the nearest one does not."""
    hours = composition.settings.definitions.plan_hours
    made = [one for one in composition.versions.plans(at) if one.at >= now - hours * HOUR]
    tests: tuple[tuple[Callable[[Planned], bool], str], ...] = (
        (lambda _: True, f"No plan of the last {hours} hours was made at position {at}."),
        (lambda one: one.base == base, f"Version {base} was applied after the plan at position {at}."),
        (lambda one: one.hash == hashed, f"These are not the definitions planned at position {at}."),
    )
    for fits, complaint in tests:
        made = [one for one in made if fits(one)]
        if not made:
            raise NotPlanned(complaint, hint=_PLAN)


def take_in(
    composition: Composition, version: int, clock: Clock, *, wait_seconds: float, rebuild: bool = False
) -> bool:
    """See the version into force: by the worker that runs, or here if none does; whether it is.

    A running worker takes it in between two batches, or derives the state anew if the
    version makes other people; either is waited for. Where none runs, the state is
    derived anew here only if ``rebuild`` says so.
    """
    space = composition.space
    if who_holds(space.worker_lock) is None:
        try:
            if rebuild:
                swap_if_needed(composition)
            with process_lock(space.worker_lock, "folded"):
                bring_into_force(composition.renewed(), clock)
        except Conflict:
            if not any(map(who_holds, (space.worker_lock, space.aside_lock, space.rebuild_lock))):
                raise  # else a worker began a moment ago, and does it
    deadline = monotonic() + wait_seconds
    while not _is_in_force(composition, version):
        if monotonic() > deadline:
            return False
        sleep(_LOOK_SECONDS)
    return True


def what_is_awaited(composition: Composition) -> str:
    """A sentence about what has to happen before the applied version is in force; empty if nobody knows."""
    if not waits_for_rebuild(composition):
        return ""
    if who_holds(composition.space.worker_lock) is None:
        return "It makes other people of the same events: start `cauce serve`, which derives the state anew."
    return "It makes other people of the same events: the state is derived anew, and then swapped."


def _is_in_force(composition: Composition, version: int) -> bool:
    with composition.state.read() as reader:
        return reader.progress(VERSION) >= version
