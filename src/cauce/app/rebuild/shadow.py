"""Rebuilding: a shadow of the state derived from the log, compared with the live one, and swapped for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import duckdb
import msgspec
import pyarrow as pa
from sqlalchemy import select

from cauce.activate.backfill import begin_again
from cauce.activate.service import Activation
from cauce.app.compose import Composition
from cauce.app.pipeline import CLOCK, LOG, VERSION, MovedOn, Pipeline, require_no_round
from cauce.app.process_lock import process_lock
from cauce.app.rebuild.derive import Derivation, Resources, Told
from cauce.app.rebuild.differences import SAMPLE, Comparison, Differences, MembershipDifference
from cauce.app.rebuild.fit import forget_normalization, note_normalization, require_normalization
from cauce.app.rebuild.moves import Feeds
from cauce.app.rebuild.rows import Changed, Unfit
from cauce.app.settled import settled
from cauce.identity import records as identity
from cauce.identity.bulk import KEYS
from cauce.identity.rules import Ruleset
from cauce.identity.service import Identity
from cauce.profile.records import trait_version
from cauce.segment.records import membership, membership_change, segment_version
from cauce.segment.session import next_due
from cauce.storage.records import Reader, Records, Transaction
from cauce.storage.stores import Other
from cauce.vocabulary import moment
from cauce.vocabulary.errors import CauceError, NotFound
from cauce.vocabulary.event import Logged, Position, read_event
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

_CATCH_UP = 1_000
_CHUNK = 2_000
_SINCE = 100_000
_ASIDE_SECONDS = 60.0

T = TypeVar("T")


def nothing(_: object) -> None:
    """Tell nobody."""


def shadow(composition: Composition, *, told: Told = nothing, ahead: bool = False) -> "Shadow":
    """Derive a shadow from the log under the definitions of a composition, as far as the live state is.

    If the live state is empty, or ``ahead`` is set, to the end of the log. Nothing live is changed.
    Raises ``Conflict`` if another rebuild is under way, ``Transient`` if memory or disk ran out.
    """
    with process_lock(composition.space.rebuild_lock, "rebuilt"):
        records = composition.stores.begin()
        try:
            pipeline = over(composition, records)
            derivation = Derivation(
                pipeline, composition.log, composition.normalization, _resources(composition), told
            )
            upto, at = _reached(composition, ahead=ahead)
            derivation.derive(upto, at, lambda lake: _since(lake, composition.state))
            note_normalization(records, composition)
        finally:
            records.close()
    return Shadow(composition, Other.SHADOW)


def find(composition: Composition, which: Other) -> "Shadow":
    """A store that was made before; raises ``NotFound`` if there is none, ``Unfit`` if it does not fit."""
    found = Shadow(composition, which)
    with composition.stores.open(which) as records:
        if records is None:
            what = "rebuilt state" if which is Other.SHADOW else "state from before a swap"
            raise NotFound(f"There is no {what}.", hint="Make one with `cauce rebuild`.")
        found.require_fit(records)
    return found


def over(composition: Composition, records: Records) -> Pipeline:
    """The pipeline of a composition over another store, which tells nobody."""
    identity = composition.identity.renewed()  # numbers of identifiers are those of one store
    return composition.pipeline._replace(records=records, identity=identity, activation=Activation({}))


def _resources(composition: Composition) -> Resources:
    settings = composition.settings.rebuild
    return Resources(composition.space.scratch, f"{settings.memory_mb}MB", settings.threads)


def _reached(composition: Composition, *, ahead: bool) -> tuple[Position, Moment]:
    """How far the live state has come; the end of the log if it has not begun or that is wanted."""
    with composition.state.read() as reader:
        position, at = Position(reader.progress(LOG)), Moment(reader.progress(CLOCK))
    if position and not ahead:
        return position, at
    tick = composition.log.tick(moment.now())
    return tick.head, tick.moment


def _since(lake: duckdb.DuckDBPyConnection, live: Records) -> str:
    """The live memberships by the anchors' numbers in the rebuilt state."""
    lake.execute("CREATE TEMPORARY TABLE rebuild_since (profile BIGINT, segment VARCHAR, since BIGINT)")
    anchors = identity.identifiers
    query = select(anchors.c.key, membership.c.segment, membership.c.since).join(
        anchors, anchors.c.id == membership.c.profile
    )
    with live.read() as reader:
        for rows in _chunks(reader.scan(query), _SINCE):
            columns = list(zip(*rows, strict=True))
            lake.register(
                "rebuild_known",
                pa.table(
                    {name: pa.array(c) for name, c in zip(("key", "segment", "since"), columns, strict=True)}
                ),
            )
            lake.execute(
                "INSERT INTO rebuild_since "
                f"SELECT id, segment, since FROM rebuild_known JOIN {KEYS} USING (key)"
            )
    return "rebuild_since"


class Shadow:
    """A rebuilt state beside the live one; or, as the former one, what was live before."""

    def __init__(self, composition: Composition, which: Other) -> None:
        self._composition = composition
        self._which = which

    def differences(self, sample: int = SAMPLE, each: Callable[[Changed], None] = nothing) -> Differences:
        """Compare with the live state at one snapshot; ``each`` is told of every row that differs."""
        with self.beside(sample, each) as (_, _, found):
            return found

    @contextmanager
    def beside(
        self, sample: int = SAMPLE, each: Callable[[Changed], None] = nothing
    ) -> Iterator[tuple[Reader, Reader, Differences]]:
        """The live state and this one at one position and moment, and what ``differences`` says of them."""
        with self._caught_up() as (live, rebuilt, records):
            yield live, rebuilt, self._comparison(live, rebuilt, records, each).differences(sample)

    def swap(self, *, alone: bool = False) -> Differences:
        """Make this the live state; the differences it made, which destinations are told of.

        The workers of this folder stand aside meanwhile; ``alone``: the caller is the
        worker. A round that they left open is folded first. Raises ``Conflict`` if one
        does not stand aside, ``MovedOn`` if one elsewhere goes on folding.
        """
        with self._caught_up(whole=False):
            pass  # what takes long, while the worker goes on
        with nullcontext() if alone else standing_aside(self._composition):
            deadline = monotonic() + _ASIDE_SECONDS
            while True:
                self._composition.renewed().worker(moment.now).drain()
                try:
                    return self._exchange()
                except MovedOn:
                    if monotonic() > deadline:
                        raise

    def _exchange(self) -> Differences:
        """Compare and swap; raises ``MovedOn``, with nothing swapped, if somebody folded in between."""
        with self._caught_up() as (live, rebuilt, records):
            comparison = self._comparison(live, rebuilt, records)
            found = comparison.differences()
            telling = _Telling(
                self._composition.pipeline, comparison.memberships, comparison.leaving_ids(), comparison.feeds
            )
            reached = live.progress(LOG), live.progress(CLOCK)

        def check(reader: Reader) -> None:
            require_no_round(reader)
            if (reader.progress(LOG), reader.progress(CLOCK)) != reached:
                raise MovedOn("Another worker went on folding.", hint="Swap again in a moment.")

        self._composition.stores.swap(self._which, telling.write, check)
        return found

    def discard(self) -> None:
        """Remove it."""
        self._composition.stores.discard(self._which)

    def require_fit(self, records: Records) -> None:
        """Raise ``Unfit`` if it was made by other definitions, or is not finished."""
        pipeline = over(self._composition, records)
        with records.read() as reader:
            versions: dict[str, str] = dict(reader.select(select(segment_version)))
            traits: dict[str, str] = dict(reader.select(select(trait_version)))
            rules = {row[2] for row in reader.select(select(identity.views))}
            begun = bool(rules or reader.progress(LOG))
        if not begun and self._which is Other.FORMER:
            return  # nothing was in it yet: it fits anything
        wanted = {one.key: one.version for one in pipeline.segments.all}
        if rules != {pipeline.identity.ruleset.hash}:
            raise Unfit("The rebuilt state has other identity rules.", hint="Make it anew: `cauce rebuild`.")
        if versions != wanted or traits != dict(pipeline.profiles.versions):
            raise Unfit(
                "The rebuilt state has other segments or traits, or was not finished.",
                hint="Make it anew: `cauce rebuild`.",
            )
        require_normalization(records, self._composition)

    @contextmanager
    def _caught_up(self, *, whole: bool = True) -> Iterator[tuple[Reader, Reader, Records]]:
        """Snapshots of the live state and of this one, at the same position and moment.

        ``whole``: the live one is that of its position alone, so that it can be compared.
        """
        composition = self._composition
        looked = settled(composition.state) if whole else composition.state.read()
        with composition.stores.open(self._which) as records, looked as live:
            if records is None:
                raise NotFound("There is no rebuilt state.", hint="Make one with `cauce rebuild`.")
            self.require_fit(records)
            pipeline = over(composition, records)._replace(version=0)  # whether it fits is known
            _catch_up(composition, pipeline, Position(live.progress(LOG)), Moment(live.progress(CLOCK)))
            with records.read() as rebuilt:
                yield live, rebuilt, records

    def _comparison(
        self, live: Reader, rebuilt: Reader, records: Records, each: Callable[[Changed], None] = nothing
    ) -> Comparison:
        composition = self._composition
        after = over(composition, records)._replace(activation=composition.pipeline.activation)
        before = composition.renewed().pipeline
        return Comparison(live, rebuilt, before._replace(identity=_identity_of(live, before)), after, each)


CHANGES = "membership_change"
"""The name under which ``progress`` counts changes of membership."""


class _Telling(NamedTuple):
    """What a swap writes into the state that comes into force; ``gone`` has the ids of those who leave."""

    pipeline: Pipeline
    memberships: Sequence[MembershipDifference]
    gone: Mapping[ProfileKey, str]
    feeds: Feeds

    def write(self, transaction: Transaction) -> None:
        """Write what moved and who entered or left, and queue what destinations are owed."""
        forget_normalization(transaction)
        self.feeds.write(transaction)
        begin_again(transaction)
        for chunk in _chunks(iter(self.memberships), _CHUNK):
            self._tell(transaction, chunk)
        if self.pipeline.version:
            transaction.advance(VERSION, self.pipeline.version)

    def _tell(self, transaction: Transaction, memberships: Sequence[MembershipDifference]) -> None:
        pipeline = self.pipeline
        session = pipeline.identity.begin(transaction, (), sorted({one.profile for one in memberships}))
        profiles = pipeline.profiles.begin(transaction, {})
        profiles.load(session.loaded_signatures())
        at, first = Moment(transaction.progress(CLOCK)), transaction.progress(CHANGES) + 1
        changes = [
            MembershipChange(
                sequence=sequence,
                segment=one.segment,
                profile=one.profile,
                profile_id=session.profile_id(one.profile) if one.entered else self.gone[one.profile],
                entered=one.entered,
                at=at,
                position=Position(0),
                message_id=None,
                identifiers=session.identifiers(one.profile),
            )
            for sequence, one in enumerate(memberships, first)
        ]
        transaction.put(membership_change, [_row(change) for change in changes])
        transaction.advance(CHANGES, first + len(changes) - 1)

        def traits(profile: ProfileKey) -> Callable[[str], Any]:
            return pipeline.profiles.values(profiles.person(session.signatures(profile)), at)

        pipeline.activation.queue(transaction, changes, traits)


def _row(change: MembershipChange) -> tuple[Any, ...]:
    return (
        change.sequence,
        change.segment,
        change.profile,
        change.profile_id,
        int(change.entered),
        change.at,
        change.position,
        change.message_id or "",
    )


@contextmanager
def standing_aside(composition: Composition) -> Iterator[None]:
    """Hold the worker's lock, which a running worker lets go of when asked.

    Raises ``Conflict`` if it does not in time.
    """
    space = composition.space
    others = space.root.glob("worker*.lock")
    with ExitStack() as stack:
        stack.enter_context(process_lock(space.aside_lock, "swapped"))
        for lock in sorted({space.worker_lock, *others}):
            stack.enter_context(process_lock(lock, "folded", wait_seconds=_ASIDE_SECONDS))
        yield


def _identity_of(reader: Reader, pipeline: Pipeline) -> Identity:
    """Identity by the rules that made a state, whatever the definitions say now."""
    view = pipeline.identity.view
    stored = reader.rows(identity.views, "name", [view])
    return Identity(view, msgspec.json.decode(stored[0][3], type=Ruleset)) if stored else pipeline.identity


def _catch_up(composition: Composition, pipeline: Pipeline, upto: Position, at: Moment) -> None:
    """Fold the events of the log up to a position, and let time pass to a moment."""
    with pipeline.records.read() as reader:
        position = Position(reader.progress(LOG))
    while position < upto:
        rows = [row for row in composition.log.read(position, _CATCH_UP) if row.position <= upto]
        if not rows:
            break
        _fold(composition, pipeline, rows)
        position = rows[-1].position
    with pipeline.records.read() as reader:
        due, reached = next_due(reader), reader.progress(CLOCK)
    if reached < at or (due is not None and due <= at):
        pipeline.pass_time(at)


def _fold(composition: Composition, pipeline: Pipeline, rows: Sequence[Logged]) -> None:
    """Fold rows; what no code foresaw is passed over, as the worker does."""
    try:
        pipeline.fold([read_event(row, composition.normalization(row.source)) for row in rows])
    except CauceError:
        raise
    except Exception:
        if len(rows) == 1:
            pipeline.skip(rows[0].position, rows[0].received)
            return
        middle = len(rows) // 2
        _fold(composition, pipeline, rows[:middle])
        _fold(composition, pipeline, rows[middle:])


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk
