"""A wide log to measure with: 45 kinds of events, 120 properties, 5 % of values of a second type.

``python -m bench.wide_log SPACE [EVENTS] [PEOPLE]`` fills the log of a space that
has sealed files only, some ten thousand events a second and processor. The same
arguments give the same events. Each person has a user id, two anonymous ids, an
e-mail address and (one in three) a phone number; an event carries one to three
of them, so that every person's identifiers are joined by her own events and no
others.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cauce.eventlog.compact import compact
from cauce.eventlog.history import ARRIVING
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.language.paths import Path as PropertyPath
from cauce.vocabulary.moment import DAY, SECOND, Moment, now, parse_iso

KINDS = 42
"""Names of track calls, ``Kind 00`` to ``Kind 41``; beside them pages, screens and identify calls."""
PROPERTIES = 120
"""``p000`` to ``p119``: a kind of event has five of them."""
SECOND_TYPE = 0.05

BEGIN: Moment = parse_iso("2026-01-01T00:00:00Z") or Moment(0)
DAYS = 365

_PER_KIND = 5
_BATCH = 32_768
_CATEGORIES = [f"category {number}" for number in range(50)]
_TAIL = ',"context":{"library":{"name":"analytics.js","version":"2.11.1"},"locale":"es-ES","ip":"10.0.0.1"}}'
Numbers = npt.NDArray[Any]


class WideLog(NamedTuple):
    """How many events and people there are; ``seed`` makes them others."""

    events: int
    people: int
    seed: int = 1

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The events in the order of their times, as ``cauce.eventlog.history.ARRIVING``."""
        for start in range(0, self.events, _BATCH):
            yield self._batch(start, min(_BATCH, self.events - start))

    def _batch(self, start: int, count: int) -> pa.RecordBatch:
        chance = np.random.default_rng([self.seed, start])
        number = np.arange(start, start + count, dtype=np.int64)
        times = BEGIN + number * (DAYS * DAY // max(1, self.events))
        kind = chance.geometric(0.04, count) - 1
        kind = np.where(kind < KINDS + 3, kind, chance.integers(0, KINDS + 3, count))
        person = chance.integers(0, self.people, count)
        ids = pc.binary_join_element_wise("m", _text(chance.integers(0, 2**62, count)), _text(number), "-")
        bodies = _bodies(chance, kind, _Some(person, ids, times))
        return pa.RecordBatch.from_arrays(
            [
                pa.array(times),
                pa.array(_CALLS[np.minimum(np.maximum(kind - KINDS + 1, 0), 3)]),
                pa.array(_NAMES[kind]),
                ids,
                pa.array(np.where(person % 5 == 0, "app", "web")),
                bodies,
            ],
            schema=ARRIVING,
        )


_NAMES = np.array([*(f"Kind {number:02}" for number in range(KINDS)), "Page Viewed", "Screen Viewed", ""])
_CALLS = np.array(["track", "page", "screen", "identify"])


def property_of(kind: int, which: int) -> str:
    """The name of one of the five properties of a kind of event."""
    return f"p{(kind * _PER_KIND // 2 + which) % PROPERTIES:03}"


def type_of(name: str) -> str:
    """What a property usually is: number, integer, text, boolean or time."""
    return ("number", "integer", "category", "text", "boolean", "time")[int(name[1:]) % 6]


class _Some(NamedTuple):
    """Some of the events of a batch, in columns."""

    person: Numbers
    ids: pa.Array
    times: Numbers


def _bodies(chance: np.random.Generator, kind: Numbers, some: _Some) -> pa.Array:
    """The JSON text of each event."""
    order = np.argsort(kind, kind="stable")
    pieces: list[pa.Array] = []
    for one in np.unique(kind):
        rows = order[np.searchsorted(kind[order], one) : np.searchsorted(kind[order], one, side="right")]
        part = _Some(some.person[rows], some.ids.take(pa.array(rows)), some.times[rows])
        pieces.append(_of_kind(chance, int(one), part))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(pieces).take(pa.array(back))


def _of_kind(chance: np.random.Generator, kind: int, some: _Some) -> pa.Array:
    """The JSON text of events of one kind."""
    heads = {KINDS: '{"type":"page","name":"Home"', KINDS + 1: '{"type":"screen","name":"Start"'}
    heads[KINDS + 2] = '{"type":"identify"'
    head = heads.get(kind, f'{{"type":"track","event":"Kind {kind:02}"')
    said = _traits(chance, some.person) if kind == KINDS + 2 else _properties(chance, kind, some)
    parts = [head, ',"messageId":"', some.ids, '"', *_who(chance, some.person), *said, _TAIL]
    return pc.binary_join_element_wise(*parts, "")


def _traits(chance: np.random.Generator, person: Numbers) -> list[Any]:
    number = _text(person)
    phone = pc.binary_join_element_wise(',"phone":"+3460', pc.utf8_lpad(number, 7, "0"), '"', "")
    plan = _category(chance, len(person))
    return [
        *(',"traits":{"email":"Person', number, '@Example.org","plan":"', plan, '"'),
        *(pc.if_else(pa.array(person % 3 == 0), phone, ""), "}"),
    ]


def _properties(chance: np.random.Generator, kind: int, some: _Some) -> list[Any]:
    parts: list[Any] = [',"properties":{']
    for which in range(_PER_KIND):
        name = property_of(kind, which)
        parts += [f'{"," if which else ""}"{name}":', _values(chance, type_of(name), some)]
    return [*parts, "}"]


def _who(chance: np.random.Generator, person: Numbers) -> list[Any]:
    """A device in nine of ten events, the user in six of ten, one of both in all."""
    device, user = chance.random(len(person)) < 0.9, chance.random(len(person)) < 0.6
    number = _text(person)
    anonymous = pc.binary_join_element_wise(
        ',"anonymousId":"a-', number, "-", _text(chance.integers(0, 2, len(person))), '"', ""
    )
    known = pc.binary_join_element_wise(',"userId":"user-', number, '"', "")
    return [
        pc.if_else(pa.array(device), anonymous, ""),
        pc.if_else(pa.array(user | ~device), known, ""),
    ]


def _values(chance: np.random.Generator, type_: str, some: _Some) -> pa.Array:
    """JSON values, of which 5 % have a second type."""
    count = len(some.person)
    usual, other = _typed(chance, type_, count, some.times)
    return pc.if_else(pa.array(chance.random(count) < SECOND_TYPE), other, usual)


def _typed(chance: np.random.Generator, type_: str, count: int, times: Numbers) -> Sequence[pa.Array]:
    cents = chance.integers(0, 50_000, count)
    number = pc.binary_join_element_wise(_text(cents // 100), pc.utf8_lpad(_text(cents % 100), 2, "0"), ".")
    text = pc.binary_join_element_wise('"', _category(chance, count), '"', "")
    if type_ == "number":
        return number, pc.binary_join_element_wise('"', number, '"', "")
    if type_ == "integer":
        return _text(cents), text
    if type_ == "category":
        return text, _text(cents)
    if type_ == "text":
        item = pc.binary_join_element_wise('"item-', _text(chance.integers(0, 10**9, count)), '"', "")
        return item, pa.nulls(count, pa.string()).fill_null("null")
    if type_ == "boolean":
        return pc.if_else(pa.array(cents % 2 == 0), "true", "false"), text
    when = pa.array(times - cents * SECOND, pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)
    iso = pc.strftime(when, format="%Y-%m-%dT%H:%M:%SZ")
    return pc.binary_join_element_wise('"', iso, '"', ""), _text(cents)


def _category(chance: np.random.Generator, count: int) -> pa.Array:
    return pa.array(_CATEGORIES).take(pa.array(chance.integers(0, len(_CATEGORIES), count)))


def _text(numbers: Numbers) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def fill(
    space: Path,
    events: int,
    people: int,
    *,
    seed: int = 1,
    paths: Sequence[PropertyPath] = (),
    processes: int = 2,
) -> None:
    """Fill the log of a space with compacted sealed files; ``paths`` are promoted beside those seen often."""
    plan = Plan(BySource({}), frozenset(paths))
    log = SqliteLog(space)
    try:
        made = WideLog(events, people, seed)
        for _ in log.append_sealed(made.batches(), plan, clock=now, processes=processes):
            pass
    finally:
        log.close()
    compact(space, plan)


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    total, persons = (int(one) for one in [*numbers, "1000000", "100000"][:2])
    fill(Path(folder), total, persons)
