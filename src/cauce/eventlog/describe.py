"""Describing rows: what each event's body says, as columns beside it.

Every body is decoded once, into the parts that identify somebody and those that
rules read. The columns are the identifiers, the signature, and the promoted
paths (``promoted``).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, TypedDict

import msgspec
import pyarrow as pa

from cauce.eventlog.columns import PLAIN, SEALED, signature
from cauce.eventlog.promoted import (
    PROPERTIES,
    TRAITS,
    TYPES,
    Found,
    Observed,
    column_name,
    gather,
    observe,
    often,
    spread,
    typed,
    values_at,
)
from cauce.eventlog.statistics import normalization_print
from cauce.vocabulary.event import Call, identifiers_of
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Normalization, normalize
from cauce.vocabulary.language.paths import Path, nfc

Normalizer = Callable[[str], Normalization]
"""How the identifiers of a source are normalized."""

OFTEN = 4
"""So many paths are promoted for being seen often, beside those that rules read.

Every column costs each query the time to read its entries in the footers: with twelve
paths a count over ten million events took three times as long as with four.
"""
OFTEN_SHARE = 0.05
"""Seen often: in so many of the rows, at the least."""

_CALLS = {call.value: call for call in Call}
_PAGES = {Call.PAGE: "page_name", Call.SCREEN: "screen_name"}
_SAYING = (Call.IDENTIFY, Call.GROUP)
_NAMED = {(PROPERTIES, name) for name in _PAGES.values()}


class _Context(TypedDict, total=False):
    traits: Any
    externalIds: Any
    device: Any


class _Parts(TypedDict, total=False):
    """The parts of a body that identify somebody or that rules read; the others need no decoding."""

    userId: Any
    anonymousId: Any
    previousId: Any
    event: Any
    name: Any
    traits: Any
    properties: Any
    context: _Context


_parts = msgspec.json.Decoder(_Parts, float_hook=Decimal)


class Described(NamedTuple):
    """Rows with what their bodies say, and what was seen in passing."""

    rows: pa.Table
    observed: Observed
    normalized: dict[str, str]


class Describer:
    """Describes the rows of one file, batch by batch, so that every batch has the same paths."""

    def __init__(self, how: Normalizer, paths: Iterable[Path], *, often: int = OFTEN) -> None:
        self.paths = sorted(set(paths))
        self._often = often
        self._how = cache(how)
        self._observed: Observed = Counter()
        self._sources: set[str] = set()
        self._made: list[pa.Table] = []

    def add(self, plain: pa.RecordBatch, *, keep: Sequence[str] = SEALED.names) -> None:
        """Describe a batch of ``PLAIN`` rows; the first one decides what is seen often.

        ``keep`` names the columns of ``SEALED`` to have beside the promoted ones.
        """
        bodies, calls, sources = (plain.column(name).to_pylist() for name in ("body", "call", "source"))
        self._sources.update(sources)
        parts = [decoded_parts(body) for body in bodies]
        kinds = [_CALLS[call] for call in calls]
        columns = dict(zip(PLAIN.names, plain.columns, strict=True))
        columns |= self._identity(parts, kinds, sources)
        found = {
            PROPERTIES: [one.get(PROPERTIES) for one in parts],
            TRAITS: [
                _composed(one.get(TRAITS)) if call in _SAYING else None
                for one, call in zip(parts, kinds, strict=True)
            ],
        }
        gathered = {root: gather(objects) for root, objects in found.items()}
        seen = observe(gathered[PROPERTIES], PROPERTIES) + observe(gathered[TRAITS], TRAITS)
        pages = [(at, one["name"]) for at, one in enumerate(parts) if _names_page(one, kinds[at])]
        for at, _ in pages:
            seen[(PROPERTIES, _PAGES[kinds[at]]), "text"] += 1
        if not self._made:
            often_seen = often(seen, len(bodies), at_most=self._often, share=OFTEN_SHARE)
            self.paths = sorted({*self.paths, *often_seen})
        self._observed += seen
        for path in self.paths:
            values = values_at(gathered[path[0]], found[path[0]], path[1:])
            if path[:2] in _NAMED:
                values = _with_page_names(values, path, pages, kinds)
            columns_of = spread(typed(values.values), values.places, len(parts))
            columns |= {column_name(path, column): array for column, array in columns_of.items()}
        names = [*keep, *(name for name in columns if name not in SEALED.names)]
        self._made.append(pa.table({name: columns[name] for name in names}))

    def _identity(
        self, parts: Sequence[dict[str, Any]], calls: Sequence[Call], sources: Sequence[str]
    ) -> dict[str, pa.Array]:
        how = self._how
        found = [
            carried_in(one, call, how(source))
            for one, call, source in zip(parts, calls, sources, strict=True)
        ]
        return {
            "identifiers": pa.array(found, SEALED.field("identifiers").type),
            "signature": pa.array([*map(signature, found)], SEALED.field("signature").type),
        }

    def done(self) -> Described:
        """All rows in the order they came, with the columns that hold anything in any of them."""
        names = sorted({name for table in self._made for name in table.column_names} - set(SEALED.names))
        kept = [name for name in self._made[0].column_names if name in SEALED.names]
        rows = pa.concat_tables(self._made, promote_options="default").select([*kept, *names])
        self._made = []
        normalized = {source: normalization_print(self._how(source)) for source in sorted(self._sources)}
        return Described(rows, self._observed, normalized)


def decoded_parts(body: str | bytes) -> dict[str, Any]:
    """The parts of a body; empty if it is no object."""
    try:
        return _parts.decode(body)  # type: ignore[return-value]
    except (msgspec.DecodeError, RecursionError, ArithmeticError):
        pass  # a part has another kind than usual, or it is no JSON
    try:
        whole = decode_json(body)
    except (msgspec.DecodeError, RecursionError, ArithmeticError):
        return {}
    return whole if isinstance(whole, dict) else {}


def carried_in(parts: Mapping[str, Any], call: Call, how: Normalization) -> list[str]:
    """The identifiers in the parts of a body as ``type:value``: what ``identifiers_of`` gives, sooner."""
    if not how.usual:
        return [f"{type_}:{value}" for type_, value in identifiers_of(dict(parts), call, how)]
    context = parts.get("context")
    said: list[Any] = []
    if type(context) is dict:
        if "externalIds" in context or "device" in context:
            return [f"{type_}:{value}" for type_, value in identifiers_of(dict(parts), call, how)]
        said.append(context.get(TRAITS))
    if call is Call.IDENTIFY:
        said.insert(0, parts.get(TRAITS))
    found = [("user_id", parts.get("userId"))]
    people = [one for one in said if type(one) is dict]
    if people:
        found += [(type_, one.get(type_)) for type_ in ("email", "phone") for one in people]
    found.append(("anonymous_id", parts.get("anonymousId")))
    result = []
    for type_, value in found:
        if value is None:
            continue
        if type(value) is not str:
            if type(value) is not int:
                continue
            value = str(value)
        if value and (normal := normalize(type_, value, how)):
            result.append(f"{type_}:{normal}")
    return list(dict.fromkeys(result)) if len(result) > 1 else result


def _names_page(parts: Mapping[str, Any], call: Call) -> bool:
    return call in _PAGES and type(parts.get("name")) is str


def _with_page_names(
    found: Found, path: Path, pages: Sequence[tuple[int, str]], calls: Sequence[Call]
) -> Found:
    """The name of a page or screen call stands in the place of its property (``read_event``)."""
    named = {at: name for at, name in pages if _PAGES[calls[at]] == path[1]}
    kept = {at: value for at, value in zip(*found, strict=True) if at not in named}
    if len(path) == 2:
        kept |= named
    places = sorted(kept)
    return Found(places, [kept[at] for at in places])


def _composed(traits: Any) -> Any:
    """Traits by their names in NFC, of which the last wins (``read_event``)."""
    return {nfc(name): value for name, value in traits.items()} if type(traits) is dict else None


def promoted_types(paths: Iterable[Path]) -> dict[str, pa.DataType]:
    """Every column that these paths may have."""
    return {column_name(path, column): type_ for path in paths for column, type_ in TYPES.items()}
