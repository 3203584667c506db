"""Mappings: what YAML means, and errors that name file, line and the nearest valid name."""

from decimal import Decimal

import pytest

from cauce.collect.files.mapping import Mapping, read_mapping
from cauce.collect.files.mapping.model import (
    Column,
    ColumnType,
    Comparison,
    Condition,
    Constant,
    Kind,
    Person,
    Sum,
    Template,
    Unless,
)
from cauce.collect.files.mapping.values import split_path
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.event import Call
from cauce.vocabulary.yaml_lines import parse_yaml

LEAST = "owner: a\nsource: shop\ncall: track\nevent: Bought\ntime: at\nuser_id: customer\n"


def read(text: str) -> Mapping:
    return read_mapping(parse_yaml(text, "m.yaml"))


def test_the_least_mapping() -> None:
    mapping = read(LEAST)
    (event,) = mapping.events
    assert (mapping.source, mapping.format.type, mapping.format.delimiter) == ("shop", "csv", ",")
    assert mapping.columns == {"customer": ColumnType(kind=Kind.TEXT), "at": ColumnType(kind=Kind.TIME)}
    assert (event.call, event.title, event.user_id) == (Call.TRACK, Constant("Bought"), Column("customer"))
    assert (mapping.empty, mapping.group_by, mapping.keep_repeated) == (frozenset({""}), (), False)


def test_events_inherit_from_the_top_and_replace_what_they_name() -> None:
    mapping = read(
        LEAST
        + """
anonymous_id: {text: "order:{no}", unless: customer}
properties: {total: {sum: price, times: n}, kind: {constant: web}}
columns: {price: number, n: integer}
events:
  - event: Returned
    when: {n: {below: 0}, no: {starts_with: [R, X]}, state: [open, new], customer: {empty: true}}
    person: none
  - user_id: ~
    properties: {order\\.no: no, page.url: url}
"""
    )
    returned, bought = mapping.events
    assert returned.title == Constant("Returned")
    assert bought.title == Constant("Bought")
    assert returned.when == (
        Condition("n", Comparison.BELOW, 0),
        Condition("no", Comparison.STARTS_WITH, ("R", "X")),
        Condition("state", Comparison.EQUALS, ("open", "new")),
        Condition("customer", Comparison.EMPTY, True),
    )
    assert (returned.person, returned.user_id, returned.anonymous_id) == (Person.NONE, None, None)
    assert returned.properties == {("total",): Sum("price", "n"), ("kind",): Constant("web")}
    assert bought.user_id is None
    assert bought.anonymous_id == Unless(Template(("order:", Column("no"))), "customer")
    assert bought.properties == {("order.no",): Column("no"), ("page", "url"): Column("url")}
    assert set(mapping.columns) == {"price", "n", "no", "state", "customer", "at", "url"}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        (r"a\.b.c", ("a.b", "c")),
        (r"a\\.b", ("a\\", "b")),
        ("a.", ("a", "")),
        ("Precio (€)", ("Precio (€)",)),
    ],
)
def test_paths(path: str, steps: tuple[str, ...]) -> None:
    assert split_path(path) == steps


WRONG = {
    "unknown key": (LEAST + "grup_by: [a]\n", "m.yaml:7:1: unknown key grup_by.", "group_by?"),
    "unknown event key": (LEAST + "events:\n- evnt: x\n", "m.yaml:8:3: unknown key evnt.", "event?"),
    "no source": (LEAST.replace("source: shop\n", ""), "m.yaml:1:1: source is missing.", "Name"),
    "source name": (LEAST.replace("shop", "My Shop"), "m.yaml:2:1: a source is named", ""),
    "unknown call": (LEAST.replace("track", "trak"), "m.yaml:3:1: unknown call trak.", "track?"),
    "no event": (LEAST.replace("event: Bought\n", ""), "m.yaml:1:1: event is missing.", ""),
    "no time": (LEAST.replace("time: at\n", ""), "m.yaml:1:1: time is missing.", ""),
    "no group": (LEAST.replace("track", "group"), "m.yaml:1:1: group_id is missing.", ""),
    "time without zone": (
        LEAST.replace("time: at", "time: {constant: 2024-01-01T00:00:00}"),
        "m.yaml:5:1:",
        "",
    ),
    "time of text": (LEAST + "columns: {at: text}\n", "m.yaml:5:1: at is used as a time.", "at: time"),
    "column type": (LEAST + "columns: {n: intger}\n", "m.yaml:7:11: unknown word intger.", "integer?"),
    "column option": (
        LEAST + "columns:\n  n: {type: integer, zone: UTC}\n",
        "m.yaml:8:22: unknown key zone.",
        "Valid names: type, required, thousands, unit.",
    ),
    "zone": (
        LEAST + "columns: {at: {type: time, zone: Europe/Lodnon}}\n",
        "m.yaml:7:28: unknown time zone Europe/Lodnon.",
        "Europe/London?",
    ),
    "marks": (LEAST + 'columns: {n: {type: number, decimal: ",", thousands: ","}}\n', "m.yaml:7:11:", ""),
    "sum of text": (
        LEAST + "properties: {x: {sum: n}}\n",
        "m.yaml:7:18: n is used as a number.",
        "n: number",
    ),
    "sum in an id": (LEAST.replace("customer", "{sum: n}"), "m.yaml:6:1: sum is a value of", ""),
    "two kinds": (
        LEAST + "properties: {x: {column: a, constant: 1}}\n",
        "m.yaml:7:14: expected exactly one",
        "",
    ),
    "value kind": (LEAST + "properties: {x: {colunm: a}}\n", "m.yaml:7:18: unknown key colunm.", "column?"),
    "plain number": (LEAST + "properties: {x: 5}\n", "m.yaml:7:14: a plain value names a column", "constant"),
    "times alone": (LEAST + "properties: {x: {column: a, times: b}}\n", "m.yaml:7:14: times goes", ""),
    "count": (LEAST + "properties: {x: {count: rows}}\n", "m.yaml:7:18: count counts lines.", ""),
    "braces": (LEAST + 'properties: {x: {text: "a{b"}}\n', "m.yaml:7:18: the braces", ""),
    "path twice": (LEAST + "properties: {x: a, x.y: b}\n", "m.yaml:7:20: x.y and x cannot both", ""),
    "empty path": (LEAST + "properties: {x..y: b}\n", "m.yaml:7:14: the path x..y has an empty name.", ""),
    "long path": (LEAST + f"properties: {{{'x.' * 40}y: b}}\n", "m.yaml:7:14: a path leads", ""),
    "traits of a track": (LEAST + "traits: {x: a}\n", "m.yaml:7:1: a track call has properties", ""),
    "test": (LEAST + "events:\n- when: {n: {belwo: 3}}\n", "m.yaml:8:14: unknown key belwo.", "below?"),
    "below text": (
        LEAST + "events:\n- when: {n: {below: 3}}\n",
        "m.yaml:8:14: below needs a column",
        "n: number",
    ),
    "number for text": (LEAST + "events:\n- when: {n: 3}\n", "m.yaml:8:10: n holds text.", "quotes"),
    "text for number": (
        LEAST + "columns: {n: number}\nevents:\n- when: {n: x}\n",
        "m.yaml:9:10: n holds numbers.",
        "without quotes",
    ),
    "not in header": (
        LEAST.replace("customer", '{text: "{custmer}"}') + "format: {type: csv, header: [customer, at]}\n",
        "m.yaml:6:11: custmer is not a column.",
        "customer?",
    ),
    "no names": (LEAST + "format: {type: csv, header: false}\n", "m.yaml:7:21: a file without header", ""),
    "delimiter": (LEAST + "format: {type: csv, delimiter: ab}\n", "m.yaml:7:21: delimiter must be", "tab"),
    "encoding": (LEAST + "format: {type: csv, encoding: utf-9}\n", "m.yaml:7:21: the encoding utf-9", ""),
    "wide encoding": (
        LEAST + "format: {type: csv, encoding: utf-16}\n",
        "m.yaml:7:21: the encoding utf-16",
        "",
    ),
    "jsonl option": (LEAST + "format: {type: jsonl, header: true}\n", "m.yaml:7:23: unknown key header.", ""),
    "format": (LEAST + "format: xlsx\n", "m.yaml:7:1: unknown word xlsx.", "csv, jsonl"),
    "repeats": (LEAST + "repeated_lines: drop\n", "m.yaml:7:1: unknown word drop.", "duplicate, keep"),
    "no events": (LEAST + "events: []\n", "m.yaml:7:1: events is empty.", ""),
    "a list": ("- a\n", "m.yaml:1:1: expected keys and values, found a list.", ""),
    "nothing": ("", "m.yaml:1:1: expected keys and values, found nothing.", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_place_and_remedy(case: str) -> None:
    text, message, hint = WRONG[case]
    with pytest.raises(BadSettings) as wrong:
        read(text)
    assert wrong.value.message.startswith(message)
    assert hint in wrong.value.hint


def test_numbers_of_conditions_are_exact() -> None:
    text = LEAST + "columns: {n: number}\nevents:\n- when: {n: {above: 0.10}}\n"
    assert read(text).events[0].when == (Condition("n", Comparison.ABOVE, Decimal("0.10")),)


def test_ways_to_write_a_format() -> None:
    tabs = read(LEAST + "format: {type: csv, delimiter: tab, quote: '', encoding: latin-1}\n").format
    assert (tabs.delimiter, tabs.quote, tabs.encoding) == ("\t", "", "latin-1")
    spaces = read(LEAST + "format: {type: csv, delimiter: spaces, header: [customer, at]}\n").format
    assert (spaces.by_spaces, spaces.header) == (True, ("customer", "at"))
    assert read(LEAST + "format: jsonl\n").columns["customer"].kind is Kind.ANY
