"""The events of a simulation, read from decoded JSON (``identity.md`` section 2)."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cauce.identity.facts import Fact
from cauce.identity.policy import Policy
from cauce.identity.resolve import keys_of
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.event import Position
from cauce.vocabulary.exact import exact
from cauce.vocabulary.identifier import Identifier, normalize
from cauce.vocabulary.moment import SECOND, Moment, parse_iso
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.statement import PAIRS, Op

_KEYS = ("id", "ts", "op", "ids", "source", "events", "purposes")
_OPS = tuple(Op)


class Observation(NamedTuple):
    """Identifiers that were seen together."""

    id: str
    time: Moment
    source: str
    identifiers: tuple[Identifier, ...]


Event = Observation | Fact


def read_events(policy: Policy, events: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Decoded events, their identifiers normalized by the rules.

    Raises ``InvalidInput`` with the place of the event.
    """
    for number, event in enumerate(events):
        place = f"events[{number}]"
        if not isinstance(event, Mapping):
            raise InvalidInput(f"{place} is no mapping.", hint="Give id, ts and ids.")
        _check_shape(event, place)
        yield _read(policy, event, place)


def _read(policy: Policy, event: Mapping[str, Any], place: str) -> Event:
    op, id_, time = event.get("op"), str(event["id"]), _time(event["ts"], place)
    ids = event.get("ids") or {}
    identifiers = tuple(_identifiers(policy, ids, place))
    if op is None:
        source = event.get("source")
        return Observation(id_, time, "" if source is None else str(source), identifiers)
    if op in PAIRS and _values(ids) != 2:
        raise InvalidInput(
            f"{place}: {op} is about two identifiers.",
            hint='Give two, as {"user_id": "a", "email": "b"} or {"user_id": ["a", "b"]}.',
        )
    if op in (Op.WITHDRAW, Op.GRANT) and not identifiers:
        raise InvalidInput(f"{place}: {op} names no identifier.", hint="Give ids: type → value.")
    purposes = _texts(event.get("purposes") or (), f"{place}.purposes")
    events = _texts(event.get("events"), f"{place}.events") if op == Op.RETRACT else ()
    return Fact(Position(0), id_, time, Op(op), tuple(keys_of(identifiers)), purposes, events)


def _values(ids: Mapping[str, Any]) -> int:
    """How many values ``ids`` gives."""
    return sum(len(value) if isinstance(value, list | tuple) else 1 for value in ids.values())


def _check_shape(event: Mapping[str, Any], place: str) -> None:
    op = event.get("op")
    if op is not None and op not in _OPS:
        raise InvalidInput(f"{place}: there is no op {op}.", hint=did_you_mean(str(op), _OPS))
    for key in event:
        if key not in _KEYS:
            raise InvalidInput(f"{place}: unknown key {key}.", hint=did_you_mean(str(key), _KEYS))
    for key in ("id", "ts"):
        if event.get(key) is None:
            raise InvalidInput(f"{place} has no {key}.", hint="Every event needs id and ts.")


def _texts(values: object, place: str) -> tuple[str, ...]:
    """A list of texts, or one."""
    if isinstance(values, str):
        return (values,)
    if isinstance(values, list | tuple) and all(isinstance(one, str | int) for one in values):
        return tuple(map(str, values))
    raise InvalidInput(f"{place} is no list of texts.", hint='Give a list, as ["a", "b"].')


def _time(ts: object, place: str) -> Moment:
    moment = parse_iso(ts) if isinstance(ts, str) else None
    if moment is not None:
        return moment
    seconds = exact(Decimal(str(ts)) if isinstance(ts, float) else ts)
    if seconds is None:
        raise InvalidInput(
            f"{place}.ts names no moment.",
            hint="Give seconds since 1970, or ISO 8601 with a zone: 2024-05-01T10:00:00Z.",
        )
    return Moment(round(seconds * SECOND))


def _identifiers(policy: Policy, ids: object, place: str) -> Iterator[Identifier]:
    """The identifiers; without those of which only the raw value is blocked."""
    if not isinstance(ids, Mapping):
        raise InvalidInput(f"{place}.ids is no mapping.", hint="Give type → value or values.")
    how = policy.ruleset.normalization
    for type_, values in ids.items():
        for value in values if isinstance(values, list | tuple) else (values,):
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise InvalidInput(f"{place}.ids.{type_} is no text.", hint="Give a text or a list of texts.")
            raw = str(value)
            normal = normalize(type_, raw, how)
            if normal and (not policy.blocks(type_, raw.strip()) or policy.blocks(type_, normal)):
                yield Identifier(type_, normal)  # one that is blocked counts nowhere, but consent may name it
