"""The features of records: what accents, case, titles, forms of dates and swapped parts become."""

import duckdb
import pytest

from cauce.match.column import Column, DateOrder, Kind
from cauce.match.prepare import prepare


def features(kind: Kind, value: str | None, order: DateOrder = DateOrder.YMD) -> dict[str, str | None]:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE raw (value VARCHAR)")
    connection.execute("INSERT INTO raw VALUES (?)", [value])
    found = connection.execute(prepare([Column(name="value", kind=kind, order=order)], "raw", "0"))
    names = [name for name, *_ in found.description or []]
    (row,) = found.fetchall()
    connection.close()
    return dict(zip(names, row, strict=True))


@pytest.mark.parametrize(
    ("value", "given", "surname"),
    [
        ("Ann Lee", "ann", "lee"),
        ("García López, José María", "josemaria", "garcialopez"),
        ("Dr. José Núñez", "jose", "nunez"),
        ("O'Brien", "obrien", None),
        ("n/a", None, None),
        (None, None, None),
    ],
)
def test_full_names(value: str | None, given: str | None, surname: str | None) -> None:
    found = features(Kind.FULL_NAME, value)
    assert (found["given"], found["surname"]) == (given, surname)


@pytest.mark.parametrize(
    ("value", "order", "date"),
    [
        ("1980-05-03", DateOrder.YMD, "19800503"),
        ("1980-5-3 00:00:00", DateOrder.YMD, "19800503"),
        ("19800503", DateOrder.YMD, "19800503"),
        ("3/5/1980", DateOrder.DMY, "19800503"),
        ("03/05/80", DateOrder.DMY, "19800503"),
        ("05/03/1980", DateOrder.MDY, "19800503"),
        ("03051980", DateOrder.DMY, "19800503"),
        ("1980-05-03", DateOrder.DMY, "19800503"),
        ("3 May 1980", DateOrder.DMY, "19800503"),
        ("03-May-1980", DateOrder.DMY, "19800503"),
        ("19801399", DateOrder.YMD, "19801399"),
        ("unknown", DateOrder.YMD, None),
    ],
)
def test_dates(value: str, order: DateOrder, date: str | None) -> None:
    assert features(Kind.BIRTH_DATE, value, order)["birth_1"] == date


@pytest.mark.parametrize(
    ("kind", "value", "feature", "expected"),
    [
        (Kind.EMAIL, " Ann@Example.ORG ", "email_1", "ann@example.org"),
        (Kind.PHONE, "+34 600-123-456", "phone_1", "600123456"),
        (Kind.PHONE, "0034600123456", "phone_1", "600123456"),
        (Kind.PHONE, "12", "phone_1", None),
        (Kind.ID, "12.345.678-Z", "id_1", "12345678z"),
        (Kind.POST_CODE, "SW1A 1AA", "post_code", "sw1a1aa"),
        (Kind.STREET, "Avda. de la Paz, 12", "street_1", "avenuedelapaz"),
        (Kind.STREET, "Avda. de la Paz, 12", "house_number", "12"),
        (Kind.PLACE, "A Coruña", "place", "acoruna"),
        (Kind.CATEGORY, "Female ", "category_1", "female"),
    ],
)
def test_values(kind: Kind, value: str, feature: str, expected: str | None) -> None:
    assert features(kind, value)[feature] == expected


def test_ways_to_write_a_street_become_one() -> None:
    assert (
        features(Kind.STREET, "12 High St.")["street_1"]
        == features(Kind.STREET, "12, high street")["street_1"]
    )
    assert (
        features(Kind.STREET, "C/ Mayor 3")["street_1"] == features(Kind.STREET, "calle mayor, 3")["street_1"]
    )
