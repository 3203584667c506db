"""The evidence of identity in columns: loaded into DuckDB in batches, so that an audit looks at all of it.

Tables: ``audit_identifier`` (id, type, value, rank, blocked, look, domain),
``audit_carried`` (signature, id, rank; without blocked values and without signatures
that link nothing), ``audit_time`` (signature, source, events, first_time, last_time) and
``audit_person`` (id, profile). ``rank`` is the place of the type among the rules;
types that the rules do not list come after them, in the order of their names.
"""

from collections.abc import Iterable, Iterator, Mapping

import duckdb
import msgspec
import pyarrow as pa
from sqlalchemy import func, select

from cauce.identity import records
from cauce.identity.audit_values import look
from cauce.identity.policy import Policy
from cauce.identity.rules import Normalize, TypeRule
from cauce.storage.columns import columns
from cauce.storage.records import Reader, Row

_Sources = dict[str, list[int]]
_decode = msgspec.json.Decoder(_Sources).decode


def is_email(type_: str, rule: TypeRule | None) -> bool:
    """Whether the values of a type are e-mail addresses."""
    return "email" in type_.lower() or (rule is not None and rule.normalize is Normalize.EMAIL)


def is_phone(type_: str, rule: TypeRule | None) -> bool:
    """Whether the values of a type are phone numbers."""
    return "phone" in type_.lower() or (rule is not None and rule.normalize is Normalize.PHONE)


def load(lake: duckdb.DuckDBPyConnection, reader: Reader, policy: Policy, view: str) -> list[str]:
    """Load the evidence of a state; the types that it has, by rank."""
    identifiers = select(records.identifiers.c.id, records.identifiers.c.key)
    _fill(lake, "audit_raw", _RAW, _looked_at(policy, reader.scan(identifiers)))
    types = _types(lake, policy)
    lake.register("audit_rank", pa.table({"type": types, "rank": pa.array(range(len(types)), pa.int32())}))
    lake.execute("CREATE TABLE audit_identifier AS SELECT * FROM audit_raw JOIN audit_rank USING (type)")
    lake.execute("DROP TABLE audit_raw")
    _fill(lake, "audit_signature", _SIGNATURE, reader.scan(select(records.signatures)))
    lake.execute(_CARRIED.format(most=policy.max_ids))
    evidence = select(records.evidence.c.signature, records.evidence.c.sources)
    _fill(lake, "audit_time", _TIME, _times(reader.scan(evidence)))
    numbers = reader.select(select(records.views.c.id).where(records.views.c.name == view))
    table = records.members
    person = select(table.c.identifier, table.c.profile).where(table.c.view == (numbers or [(0,)])[0][0])
    _fill(lake, "audit_person", _PERSON, reader.scan(person))
    return types


def identifiers_kept(reader: Reader) -> int:
    """How many identifiers a state knows."""
    return int(reader.select(select(func.count()).select_from(records.identifiers))[0][0])


_RAW = {
    "id": pa.int64(),
    "type": pa.string(),
    "value": pa.string(),
    "blocked": pa.bool_(),
    "look": pa.string(),
    "domain": pa.string(),
}
_SIGNATURE = {"signature": pa.int64(), "ids": pa.string()}
_TIME = {
    "signature": pa.int64(),
    "source": pa.string(),
    "events": pa.int64(),
    "first_time": pa.int64(),
    "last_time": pa.int64(),
}
_PERSON = {"id": pa.int64(), "profile": pa.int64()}

_CARRIED = """
CREATE TABLE audit_carried AS
SELECT signature, id, rank FROM (
  SELECT signature, unnest(string_split(ids, ','))::BIGINT AS id FROM audit_signature
  WHERE len(string_split(ids, ',')) <= {most})
JOIN audit_identifier USING (id) WHERE NOT blocked;
DROP TABLE audit_signature;
"""


def _types(lake: duckdb.DuckDBPyConnection, policy: Policy) -> list[str]:
    seen = {row[0] for row in lake.execute("SELECT DISTINCT type FROM audit_raw").fetchall()}
    listed = [rule.type for rule in policy.ruleset.identifiers]
    return [*listed, *sorted(seen.difference(listed))]


def _looked_at(policy: Policy, rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of id and key as those of ``audit_raw``."""
    rules = {rule.type: rule for rule in policy.ruleset.identifiers}
    kinds: dict[str, tuple[bool, bool]] = {}
    for number, key in rows:
        type_, value = key.split(":", 1)
        kind = kinds.get(type_)
        if kind is None:
            rule = rules.get(type_)
            kind = kinds[type_] = is_email(type_, rule), is_phone(type_, rule)
        email, phone = kind
        domain = value.rpartition("@")[2] if email and "@" in value else None
        looks = look(value, email=email, phone=phone).value
        yield number, type_, value, policy.blocks(type_, value), looks, domain


def _times(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of signature and sources as those of ``audit_time``."""
    for signature, sources in rows:
        for source, seen in _decode(sources).items():
            yield signature, source, *seen[:3]


def _fill(
    lake: duckdb.DuckDBPyConnection, table: str, kinds: Mapping[str, pa.DataType], rows: Iterable[Row]
) -> None:
    """Make a table of rows, of which few are objects at a time."""
    schema = pa.schema(list(kinds.items()))
    lake.register("audit_batch", schema.empty_table())
    lake.execute(f"CREATE TABLE {table} AS SELECT * FROM audit_batch")
    for batch in columns(rows, schema):
        lake.register("audit_batch", pa.Table.from_batches([batch]))
        lake.execute(f"INSERT INTO {table} SELECT * FROM audit_batch")
    lake.unregister("audit_batch")
