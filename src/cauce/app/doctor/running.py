"""What the doctor looks at in a space at work: definitions, keys, ports, the fold, quarantine, deliveries."""

import os

from cauce.activate.deliveries import Deliveries
from cauce.activate.delivery import State
from cauce.activate.destinations import ready
from cauce.app.compose import Composition
from cauce.app.doctor.findings import Finding, error, fine, warning
from cauce.app.listening import answers, listen
from cauce.app.log_stats import log_stats
from cauce.app.process_lock import who_holds
from cauce.govern.keys import KeyKind, KeyStore
from cauce.vocabulary.errors import BadSettings, CauceError
from cauce.vocabulary.moment import Clock

_LATE_SECONDS = 60.0


def definitions(composition: Composition) -> Finding:
    """Settings and definitions fit together."""
    found = composition.definitions
    counts = (
        f"{len(found.sources)} sources, {len(found.traits)} traits, "
        f"{len(found.segments)} segments, {len(found.destinations)} destinations"
    )
    return fine("definitions", f"All fit: {counts}.")


def keys(composition: Composition) -> Finding:
    """Somebody can send events, for sources that exist."""
    known = composition.definitions.sources
    valid = [key for key in KeyStore(composition.control).list() if key.revoked is None]
    writing = [key for key in valid if key.kind is KeyKind.WRITE]
    if not writing:
        return warning(
            "keys", "There is no write key.", f"cauce key create write SOURCE {composition.space.option}"
        )
    lost = sorted({key.source for key in writing} - known.keys())
    if lost:
        return warning(
            "keys",
            f"Write keys name sources that are not defined: {', '.join(lost)}.",
            "Define them in definitions/sources, or revoke the keys: `cauce key list`.",
        )
    return fine("keys", f"{len(writing)} write keys and {len(valid) - len(writing)} API keys are valid.")


def serving(composition: Composition) -> Finding:
    """The processes run and answer, or else their ports are free."""
    found = who_holds(composition.space.serve_lock)
    if found is None:
        return _ports_free(composition)
    silent = [url for url in (found.collector, found.api, *found.workers) if url and not answers(url)]
    if silent:
        return error(
            "serving",
            f"Process {found.pid} serves the space, but {' and '.join(silent)} do not answer.",
            f"Look at its log; stop it with `kill {found.pid}` and start `cauce serve` again.",
        )
    return fine("serving", f"Process {found.pid} serves the space: {found.collector}, {found.api}.")


def _ports_free(composition: Composition) -> Finding:
    settings = composition.settings
    for name, section in (("collector", settings.collector), ("api", settings.api)):
        try:
            listen(name, section.host, section.port).close()
        except CauceError as taken:
            return error("serving", taken.message, taken.hint)
    return warning(
        "serving",
        "Nobody serves the space; its ports are free.",
        f"cauce serve {composition.space.option}",
    )


def folding(composition: Composition, clock: Clock) -> Finding:
    """The worker keeps up with the log."""
    if not composition.has_log:
        return fine("folding", "There are no events yet.")
    stats = log_stats(composition, clock())
    message = f"Position {stats.folded} of {stats.head} is folded."
    if stats.behind_seconds is None or stats.behind_seconds < _LATE_SECONDS:
        return fine("folding", message)
    return warning(
        "folding",
        f"{message} The oldest event waits since {stats.behind_seconds:.0f} s.",
        "Start `cauce serve`, or look for errors of the worker in its log.",
    )


def quarantine(composition: Composition) -> Finding:
    """Input that was refused."""
    counts = composition.log.quarantine_counts() if composition.has_log else {}
    if not counts:
        return fine("quarantine", "Nothing was refused.")
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return warning(
        "quarantine", f"Refused input: {reasons}.", f"cauce quarantine list {composition.space.option}"
    )


def secrets(composition: Composition) -> Finding:
    """Every destination can be signed for, at least from here: a running process may know more."""
    found = composition.definitions.destinations
    try:
        ready(
            found.values(),
            environment=os.environ,
            folder=composition.space.root,
            folders=composition.settings.activate.folders,
        )
    except BadSettings as missing:
        judge = warning if who_holds(composition.space.serve_lock) else error
        return judge("secrets", missing.message, missing.hint)
    return fine("secrets", f"The secrets of {len(found)} destinations are there.")


def deliveries(composition: Composition, clock: Clock) -> Finding:
    """Other systems were told."""
    if not composition.has_state:
        return fine("deliveries", "There are no deliveries yet.")
    backlog = Deliveries(composition.state, clock, composition.access.require).backlog()
    dead = {name: count for (name, state), count in backlog.items() if state is State.DEAD}
    if dead:
        return warning(
            "deliveries",
            f"Given up: {', '.join(f'{count} to {name}' for name, count in sorted(dead.items()))}.",
            "See why with `cauce delivery list --state dead`; send again with `cauce delivery replay`.",
        )
    return fine("deliveries", f"{sum(backlog.values())} deliveries wait, none was given up.")
