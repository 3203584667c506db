"""Promoted columns hold what a rule reads in the body: verdicts are the same from either, and one by one."""

import random
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.eventlog.columns import PLAIN, SEALED
from cauce.eventlog.describe import Describer, carried_in, decoded_parts
from cauce.eventlog.promoted import PROPERTIES, TRAITS, Column, column_name, typed
from cauce.eventlog.sealed_file import in_order, write_rows
from cauce.segment.bulk import preview
from cauce.segment.bulk_fields import Events
from cauce.vocabulary.event import Call, Logged, Position, identifiers_of, read_event
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.language import Rule
from cauce.vocabulary.language.paths import Path as PropertyPath
from cauce.vocabulary.language.paths import walk
from cauce.vocabulary.language.tree import Kind
from cauce.vocabulary.language.values import READ_AS, boolean, moment, number, text
from cauce.vocabulary.moment import Moment
from tests.property.rule_texts import about_pairs, rules
from tests.property.rule_worlds import NOW, World, json_object, json_value, pairs, world
from tests.property.test_rules_one_meaning import examples

READ = {Column.NUMBER: number, Column.TEXT: text, Column.BOOLEAN: boolean, Column.TIME: moment}


def test_rules_mean_the_same_over_promoted_columns() -> None:
    with closing(world(2, 120)) as made:
        check(made, rules, count=120)


def test_every_value_compares_alike_over_promoted_columns() -> None:
    with closing(pairs()) as made:
        check(made, about_pairs, count=60)


def check(made: World, texts: st.SearchStrategy[Rule], count: int) -> None:
    connection = made.source.connection
    rows = connection.sql("SELECT * FROM events").to_arrow_table()

    @settings(examples, max_examples=count)
    @given(rule=texts, seed=st.integers(0, 2**20))
    def each(rule: Rule, seed: int) -> None:
        chance = random.Random(seed)
        paths = sorted({path for paths in rule.mentions.events.values() for path in paths})
        parts = []
        cuts = sorted(chance.randrange(rows.num_rows + 1) for _ in range(2))
        for number_, (start, end) in enumerate(zip([0, *cuts], [*cuts, rows.num_rows], strict=True)):
            promoted = [path for path in paths if chance.random() < 0.7]
            parts.append(promote(connection, f"part{number_}", rows.slice(start, end - start), promoted))
        at = Moment(NOW)
        one_by_one = [p for p, someone in made.people.items() if rule.evaluate(someone, at).holds]
        assert preview(rule, at, made.source._replace(events=parts)) == one_by_one

    each()


def promote(connection: object, name: str, rows: pa.Table, paths: list[PropertyPath]) -> Events:
    """Register rows with promoted columns, as a sealed file has them."""
    if not rows.num_rows:
        connection.register(name, rows)
        return Events(name, {})
    columns = [
        rows[one.name] if one.name in rows.column_names else pa.nulls(rows.num_rows, one.type)
        for one in PLAIN
    ]
    plain = pa.table([c.cast(f.type) for c, f in zip(columns, PLAIN, strict=True)], schema=PLAIN)
    describer = Describer(lambda _: DEFAULT_NORMALIZATION, [(PROPERTIES, *path) for path in paths], often=0)
    for batch in plain.combine_chunks().to_batches(max_chunksize=50):
        describer.add(batch)
    made = describer.done().rows.append_column("profile", rows["profile"].combine_chunks())
    connection.register(name, made)
    there = set(made.column_names)
    return Events(
        name,
        {p: tuple(c for c in Column if column_name((PROPERTIES, *p), c) in there) for p in paths},
    )


@given(seed=st.integers(0, 2**32))
def test_columns_hold_what_the_language_reads(seed: int) -> None:
    chance = random.Random(seed)
    bodies = [
        f'{{"name":{json_value(chance)},"properties":{json_object(chance)},"traits":{json_object(chance)}}}'
        for _ in range(20)
    ]
    calls = [chance.choice([*Call]) for _ in bodies]
    names = ["price", "café", "Kind", "a b", "a.b", "page_name", "user"]
    paths = [(root, name) for root in (PROPERTIES, TRAITS) for name in names]
    paths += [(PROPERTIES, "user", "tier"), (PROPERTIES, "page_name", "tier"), (TRAITS, "user", "café")]
    with TemporaryDirectory() as folder:
        rows = sealed(Path(folder), bodies, calls, paths)
    for row, body, call in zip(rows, bodies, calls, strict=True):
        assert row["body"] == body
        logged = Logged(
            position=Position(1), received=Moment(0), time=Moment(0), call=call, name="n", message_id="m",
            source="s", body=body.encode(),
        )  # fmt: skip
        event = read_event(logged, DEFAULT_NORMALIZATION)
        for path in paths:
            root = event.properties if path[0] == PROPERTIES else event.traits
            value = walk(root, path[1:])
            for column, read in READ.items():
                found = row.get(column_name(path, column))
                assert found == read(value), (path, column)
            plain = any(read(value) is not None for read in READ.values())
            rest = row.get(column_name(path, Column.JSON))
            assert (rest is not None) == (value is not None and not plain)
            if rest is not None:
                for kind in (Kind.LIST, Kind.OBJECT):
                    assert READ_AS[kind](decode_json(rest)) == READ_AS[kind](value)


def sealed(folder: Path, bodies: list[str], calls: list[Call], paths: list[PropertyPath]) -> list[dict]:
    """The rows of these bodies after they were written to a sealed file and read again."""
    count = len(bodies)
    plain = pa.record_batch(
        [
            pa.array(range(count), pa.int64()),
            *(pa.array([0] * count, pa.int64()) for _ in range(2)),
            pa.array([call.value for call in calls]),
            *(pa.array(["x"] * count) for _ in range(3)),
            pa.array(bodies),
        ],
        schema=PLAIN,
    )
    describer = Describer(lambda _: DEFAULT_NORMALIZATION, paths, often=3)
    describer.add(plain.slice(0, count // 2))
    describer.add(plain.slice(count // 2))
    rows = in_order(describer.done().rows)
    assert rows.column_names[: len(SEALED)] == SEALED.names
    path = write_rows(folder, rows, "{}", "x").path
    found = pq.read_table(path).sort_by("position")
    for at, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type):
            found = found.set_column(at, field.name, found[field.name].cast(pa.int64()))
    return found.to_pylist()


def test_a_number_that_does_not_fit_stays_as_json() -> None:
    values = [1, decode_json("1e400"), decode_json("0.00000000005"), decode_json("1" * 40), True, None]
    found = typed(values)
    assert found[Column.NUMBER].to_pylist()[:1] == [1]
    assert [one is None for one in found[Column.NUMBER].to_pylist()] == [False, True, False, True, True, True]
    assert found[Column.JSON].to_pylist()[1] == "1E+400"
    assert found[Column.JSON].to_pylist()[3] == "1" * 40


@given(seed=st.integers(0, 2**32))
def test_identifiers_in_columns_are_those_of_the_event(seed: int) -> None:
    chance = random.Random(seed)
    known = ["userId", "anonymousId", "traits", "context", "device", "externalIds", "email", "phone"]

    def part(depth: int) -> str:
        if depth and chance.random() < 0.6:
            members = [f'"{chance.choice(known)}":{part(depth - 1)}' for _ in range(chance.randrange(5))]
            return f"{{{','.join(members)}}}"
        return json_value(chance, 3)

    for call in Call:
        members = [f'"{name}":{part(2)}' for name in known if chance.random() < 0.7]
        body = f"{{{','.join(members)}}}"
        expected = identifiers_of(decode_json(body), call, DEFAULT_NORMALIZATION)
        assert carried_in(decoded_parts(body), call, DEFAULT_NORMALIZATION) == [*map(str, expected)]
