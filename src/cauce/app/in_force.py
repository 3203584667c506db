"""Which definitions are in force: the state is brought to the applied version, and a new one is noticed.

Applying is a row in the control store. Whoever folds brings the state to that
version at the boundary between two batches; readers go on with the version that
the state was made with until then.
"""

import logging
from collections.abc import Callable, Sequence
from time import perf_counter

import pyarrow.compute as pc

from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.log_rows import count_rows
from cauce.app.pipeline import LOG
from cauce.app.process_lock import who_holds
from cauce.govern.versions import Version
from cauce.storage.records import Reader
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.definitions.canonical import contents
from cauce.vocabulary.errors import CauceError, Conflict
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Clock, Moment

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25


class Watch:
    """Notices that another version was applied or the worker is to stand aside, a moment later at most."""

    def __init__(self, composition: Composition, monotonic: Callable[[], float]) -> None:
        self._versions = composition.versions
        self._aside = composition.space.aside_lock
        self._known = composition.applied
        self._monotonic = monotonic
        self._asked = monotonic()

    def changed(self, also: Callable[[], bool] = lambda: False) -> bool:
        """Whether another version is applied by now, somebody needs the store, or ``also``."""
        now = self._monotonic()
        if now - self._asked < _LOOK_SECONDS:
            return False
        self._asked = now
        return self._versions.latest() != self._known or who_holds(self._aside) is not None or also()


def apply_first(composition: Composition, viewer: Viewer, *, now: Moment) -> Version | None:
    """Apply the folder if nothing was ever applied; the first version, None if there is one already.

    Raises ``BadFiles`` with everything wrong in the folder.
    """
    if composition.versions.latest():
        return None
    kept = contents(composition.folder_definitions())
    try:
        return composition.versions.add(kept, base=0, now=now, viewer=viewer, note="the first start")
    except Conflict:  # another process was faster
        return None


def under_applied(composition: Composition) -> Composition:
    """The space under the applied definitions, whatever the state was made with."""
    return composition.with_definitions(composition.definitions, composition.applied)


def makes_other_people(before: Composition, after: Composition, reader: Reader) -> bool:
    """Whether what is folded already would make other people under the definitions after.

    Other rules do, and identifiers that are normalized otherwise of a source that events came from.
    """
    folded = Position(reader.progress(LOG))
    if not folded:
        return False
    try:
        after.identity.describe(reader, ())
    except Conflict:
        return True
    return normalizes_otherwise(before, after, folded)


def normalizes_otherwise(before: Composition, after: Composition, folded: Position) -> bool:
    """Whether identifiers of events up to a position are others under the definitions after."""
    sources = sorted({"", *before.in_force.sources, *after.in_force.sources})
    changed = [name for name in sources if before.normalization(name) != after.normalization(name)]
    return any(count_rows(before.log, folded, _of_source(name, sources[1:])) for name in changed)


def _of_source(name: str, defined: Sequence[str]) -> pc.Expression:
    """Chooses the events of a source; under "" those of sources that nobody defines."""
    source = pc.field("source")
    return source == name if name else ~source.isin(defined)


def bring_into_force(composition: Composition, clock: Clock) -> Composition:
    """Bring the state to the applied version; the composition to fold with from now on.

    Must be called by whoever alone may fold. If the applied version makes other
    people of the same events, the state stays with its own until another one that is
    derived beside it is swapped in (``rebuilding``). Raises ``Conflict`` if the state
    was made by other rules before any version was kept.
    """
    target = under_applied(composition)
    made_with = composition.version_in_force
    another = made_with not in (0, target.applied)
    with composition.state.read() as reader:
        if not another:
            target.identity.describe(reader, ())  # refuses rules that do not fit the state
        elif makes_other_people(composition, target, reader):
            logger.info(
                "version %d makes other people of the same events: it comes into force "
                "when the state has been derived anew",
                target.applied,
            )
            return composition.with_definitions(composition.in_force, made_with)
    started = perf_counter()
    if another:
        _pass_time(composition, clock)
    changed = follow_definitions(
        target.pipeline, target.log, target.normalization, before=composition.pipeline if another else None
    )
    if changed or made_with != target.applied:
        seconds = perf_counter() - started
        logger.info(
            "version %d is in force: %d segments new or changed, %.1f s",
            target.applied,
            len(changed),
            seconds,
        )
    return target


def _pass_time(composition: Composition, clock: Clock) -> None:
    """Let the present come under the definitions before, unless events wait to be folded."""
    with composition.state.read() as reader:
        folded = Position(reader.progress(LOG))
    tick = composition.log.tick(clock())
    if tick.head == folded:
        composition.pipeline.pass_time(tick.moment)


def folder_differs(composition: Composition) -> bool:
    """Whether the folder is not what is applied; also if it is wrong."""
    try:
        return contents(composition.folder_definitions()) != composition.versions.contents(
            composition.applied
        )
    except CauceError:
        return True
