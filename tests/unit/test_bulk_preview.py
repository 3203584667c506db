"""Previews in bulk: documents that SQL reads otherwise than a rule, and what happens when SQL fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from cauce.segment.bulk import BulkSource, QueryFailed, preview
from cauce.vocabulary.errors import Unsupported
from cauce.vocabulary.event import Call, Logged, Position, read_event
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.language import Entry, parse
from cauce.vocabulary.moment import DAY, Moment
from tests.unit.rule_people import T

# call, body of the one event named E, condition on it, and whether the event counts
DOCUMENTS = [
    ("track", '{"properties":{"p":1,"p":2}}', "property('p') = 2", True),
    ("track", '{"properties":{"p":1,"p":2}}', "property('p') = 1", False),
    ("track", '{"properties":{"p":1},"properties":{"p":2}}', "property('p') = 2", True),
    ("track", '{"prop\\u0065rties":{"p":1}}', "property('p') = 1", True),
    ("track", '{"properties":{"\\u0070":1}}', "property('p') = 1", True),
    ("track", '{"properties":{"p":1,"\\u0070":2}}', "property('p') = 2", True),
    ("track", '{"properties":{"p":{"p":1}}}', "property('p.p') = 1", True),
    ("track", '{"properties":{"p":[{"q":1}]}}', "property('p.q') = 1", False),
    ("track", '{"properties":[{"p":1}]}', "property('p') = 1", False),
    ("track", '{"properties":{"0":1}}', "property('0') = 1", True),
    ("track", '{"properties":[1]}', "property('0') = 1", False),
    ("track", '{"properties":{"a*":1,"ab":2}}', "property('a*') = 1", True),
    ("track", '{"properties":{"it\'s":1}}', "property('it\\'s') = 1", True),
    ("track", '{"properties":{"\u212aey":1}}', "property('Key') = 1", True),
    ("track", '{"properties":{"p":0.12345678850000000001}}', "property('p') = 0.123456789", True),
    ("track", '{"properties":{"p":999999999999999999999.1}}', "property('p') > 999999999999999999999", True),
    ("track", '{"properties":{"p":0e999}}', "property('p') = 0", True),
    ("track", '{"properties":{"p":1e999}}', "property('p').exists()", True),
    ("track", '{"properties":{"p":"\U0001e4ef\U0001e4ee"}}', "property('p') = '\U0001e4ef\U0001e4ee'", True),
    ("track", '{"properties":{"p":"cafe\u0301"}}', "property('p').ends_with('é')", True),
    ("page", '{"name":"Home","properties":{}}', "property('page_name') = 'Home'", True),
    ("page", '{"name":"Home","properties":{"page_name":"Other"}}', "property('page_name') = 'Home'", True),
    ("page", '{"name":5,"properties":{"page_name":"Other"}}', "property('page_name') = 'Other'", True),
    ("page", '{"name":"Home"}', "property('screen_name') = 'Home'", False),
    ("page", '{"name":"Home","properties":{"page_name":{"a":1}}}', "property('page_name.a') = 1", False),
    ("screen", '{"name":"Home"}', "property('screen_name') = 'Home'", True),
    ("track", '{"name":"Home","properties":{}}', "property('page_name') = 'Home'", False),
    ("track", '{"name":"","properties":{"track_name":1,"track_name":2}}', "property('track_name') = 2", True),
    ("track", '{"properties":null}', "property('p').absent()", True),
    ("track", "{}", "property('p').absent()", True),
]  # fmt: skip
# traits a and b as JSON, rule, and whether it holds
TRAITS = [
    ('"a\\u0000b"', '"a"', "trait('a') = trait('b')", False),
    ('"a\\u0000é"', '"a"', "trait('a') = trait('b')", False),
    ('"a\\u0000b"', '"a\\u0000b"', "trait('a') = trait('b')", True),
    ("[1e40]", "1e40", "trait('a').contains(trait('b'))", False),
    ("[1e40, 2]", "2.0", "trait('a').contains(trait('b'))", True),
    ("[[1e40]]", "[1e40]", "trait('a').contains(trait('b'))", False),
    ("[1e40]", "[1e40]", "trait('a') = trait('b')", False),
    ('{"x": 1, "y": null}', '{"x": 1.0}', "trait('a') = trait('b')", True),
    ('["a\\u0002b"]', '"a"', "trait('a').contains(trait('b'))", False),
    ('[["a"]]', '"a"', "trait('a').contains(trait('b'))", False),
    ('[["a", 1]]', '["a", 1]', "trait('a').contains(trait('b'))", True),
    ('["5"]', '5', "trait('a').contains(trait('b') as text)", True),
    (" 5 ", "5", "trait('a') = trait('b')", True),
    ("1", "null", "trait('a') != trait('b')", False),
    ("1", '"1"', "trait('a') != trait('b')", True),
]  # fmt: skip


@contextmanager
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """Empty tables and two people; no fixture, or DuckDB complains at the end of the process."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE people (profile BIGINT)")
    connection.execute("CREATE TABLE traits (profile BIGINT, name VARCHAR, value VARCHAR)")
    connection.execute(
        "CREATE TABLE events "
        "(profile BIGINT, time BIGINT, received BIGINT, message_id VARCHAR, source VARCHAR, call VARCHAR, "
        "name VARCHAR, body VARCHAR)"
    )
    connection.execute("INSERT INTO people VALUES (1), (2)")
    yield connection
    connection.close()


class Someone:
    def __init__(self, traits: dict[str, str], entries: list[Entry]) -> None:
        self.traits = {name: decode_json(value) for name, value in traits.items()}
        self.entries = entries

    def trait(self, name: str) -> object:
        return self.traits.get(name)

    def events(self, name: str) -> list[Entry]:
        return self.entries if name == "E" else []


@pytest.mark.parametrize(("call", "body", "condition", "expected"), DOCUMENTS)
def test_a_property_of_a_document(call: str, body: str, condition: str, expected: bool) -> None:
    with tables() as connection:
        rule = parse(f"event('E').where({condition}).count() = 1")
        connection.execute("INSERT INTO events VALUES (1, ?, 0, 'm', 'web', ?, 'E', ?)", [T, call, body])
        logged = Logged(
            position=Position(1), received=T, time=T, call=Call(call), name="E", message_id="m", source="web",
            body=body.encode(),
        )  # fmt: skip
        event = read_event(logged, DEFAULT_NORMALIZATION)
        entry = Entry(T, T, "m", "web", event.properties)
        assert rule.evaluate(Someone({}, [entry]), T).holds is expected
        assert preview(rule, T, BulkSource(connection)) == [1] * expected


@pytest.mark.parametrize(("a", "b", "text", "expected"), TRAITS)
def test_two_traits(a: str, b: str, text: str, expected: bool) -> None:
    with tables() as connection:
        rule = parse(text)
        connection.execute("INSERT INTO traits VALUES (1, 'a', ?), (1, 'b', ?)", [a, b])
        assert rule.evaluate(Someone({"a": a, "b": b}, []), T).holds is expected
        assert preview(rule, T, BulkSource(connection)) == [1] * expected


@pytest.mark.parametrize("operator", ["within_last", "within_next", "before_last", "after_next"])
def test_dates_to_the_microsecond(operator: str) -> None:
    with tables() as connection:
        rule = parse(f"trait('a').{operator}(1 day)")
        value = '"2026-01-01T10:00:00Z"'
        connection.execute("INSERT INTO traits VALUES (1, 'a', ?)", [value])
        for shift in (-DAY - 1, -DAY, -DAY + 1, -1, 0, 1, DAY - 1, DAY, DAY + 1):
            at = Moment(T + shift)
            members = preview(rule, at, BulkSource(connection))
            assert members == [1] * rule.evaluate(Someone({"a": value}, []), at).holds, shift


def test_events_of_others_and_absent_people_do_not_count() -> None:
    with tables() as connection:
        connection.execute("INSERT INTO events VALUES (3, 0, 0, 'm', 'web', 'track', 'E', '{}')")
        source = BulkSource(connection)
        assert preview(parse("event('E').count() >= 1"), T, source) == []
        assert preview(parse("NOT event('E').count() >= 1"), T, source) == [1, 2]
        assert preview(parse("event('E').count() = 0"), T, source) == [1, 2]


def test_relations_may_have_any_name() -> None:
    with tables() as connection:
        connection.execute('CREATE VIEW "the ""people""" AS FROM people WHERE profile = 2')
        source = BulkSource(connection, people='the "people"')
        assert preview(parse("trait('x').absent()"), T, source) == [2]


def test_text_of_a_rule_is_never_sql() -> None:
    with tables() as connection:
        evil = "\\'; DROP TABLE people; --"
        rule = parse(
            f"trait('{evil}') = '{evil}' OR event('{evil}').sources({{exclude: ['{evil}']}})"
            f".where(property('{evil}.{evil}').contains('{evil}', ['{evil}'])).count() = 1"
        )
        assert preview(rule, T, BulkSource(connection)) == []
        assert preview(parse("trait('x').absent()"), T, BulkSource(connection)) == [1, 2]


def test_a_preview_leaves_no_function_behind() -> None:
    with tables() as connection:
        source = BulkSource(connection)
        for _ in range(2):
            preview(parse("trait('a').exists()"), T, source)
        with pytest.raises(duckdb.CatalogException):
            connection.execute("SELECT cauce_nfc('a')")


def test_an_error_of_sql_carries_the_sql() -> None:
    with tables() as connection:
        with pytest.raises(QueryFailed) as caught:
            preview(parse("trait('a').exists()"), Moment(T), BulkSource(connection, traits="nowhere"))
        assert isinstance(caught.value, Unsupported)
        assert caught.value.sql.startswith("WITH ")
        assert '"nowhere"' in caught.value.sql
        assert caught.value.sql in str(caught.value)
        assert "CatalogException" in caught.value.message
