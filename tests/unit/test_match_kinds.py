"""The kinds of columns: by name in several languages, by values, and overridden."""

import pytest

from cauce.match.column import DateOrder, Kind
from cauce.match.kinds import date_order, find_kinds, override
from cauce.vocabulary.errors import InvalidInput

PEOPLE = 40


def kinds_of(**columns: list[str | None]) -> dict[str, Kind]:
    return {column.name: column.kind for column in find_kinds(columns)}


def several(*values: str) -> list[str | None]:
    return [values[number % len(values)] for number in range(PEOPLE)]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("nombre", ("Ana", "Luis", "Eva"), Kind.GIVEN_NAME),
        ("apellidos", ("García López", "Pérez"), Kind.SURNAME),
        ("Nombre completo", ("Ana García", "Luis Pérez"), Kind.FULL_NAME),
        ("fecha_nacimiento", ("13/05/1980", "01/02/1975"), Kind.BIRTH_DATE),
        ("fecha de nacimiento", ("13/05/1980", "01/02/1975"), Kind.BIRTH_DATE),
        ("DateOfBirth", ("1980-05-13", "1975-02-01"), Kind.BIRTH_DATE),
        ("código postal", ("28001", "08001"), Kind.POST_CODE),
        ("calle", ("Mayor", "Gran Vía"), Kind.STREET),
        ("address_1", ("1 High St", "2 Low Rd"), Kind.STREET),
        ("número", ("1", "2", "3"), Kind.HOUSE_NUMBER),
        ("suburb", ("Bittern", "Garbutt"), Kind.PLACE),
        ("población", ("Madrid", "Vigo"), Kind.PLACE),
        ("provincia", ("Madrid", "Pontevedra"), Kind.STATE),
        ("correo", ("a@b.es", "c@d.es"), Kind.EMAIL),
        ("teléfono móvil", ("600123456", "+34 600 123 457"), Kind.PHONE),
        ("soc_sec_id", ("6988048", "7364009"), Kind.ID),
        ("DNI", ("12345678Z", "87654321X"), Kind.ID),
        ("sexo", ("H", "M"), Kind.CATEGORY),
        ("created_at", ("2024-01-01", "2024-01-02"), Kind.IGNORED),
    ],
)
def test_names(name: str, values: tuple[str, ...], kind: Kind) -> None:
    assert kinds_of(**{name: several(*values)}) == {name: kind}


def test_a_name_that_lies_is_not_believed() -> None:
    assert kinds_of(email=several("yes", "no"))["email"] is Kind.CATEGORY
    assert kinds_of(phone=several("Smith", "Jones"))["phone"] is not Kind.PHONE


def test_values_without_a_telling_name() -> None:
    found = kinds_of(
        c1=[f"user{number // 2}@example.org" for number in range(PEOPLE)],
        c2=[f"19{number // 2 + 40}-03-0{number // 2 % 9 + 1}" for number in range(PEOPLE)],
        c3=[f"+34 600 10{number // 2:04d}" for number in range(PEOPLE)],
        c4=[str(number) for number in range(PEOPLE)],
        c5=[None] * PEOPLE,
        c6=several("x", "x"),
        c7=[f"AB{number // 2:05d}" for number in range(PEOPLE)],
    )
    assert list(found.values()) == [
        *(Kind.EMAIL, Kind.BIRTH_DATE, Kind.PHONE, Kind.RECORD_KEY, Kind.IGNORED, Kind.IGNORED, Kind.ID)
    ]


def test_neighbours_say_which_name() -> None:
    beside = kinds_of(name=several("Ann", "Bob"), surname=several("Lee", "Ray"))
    assert beside["name"] is Kind.GIVEN_NAME
    assert kinds_of(nombre=several("Ana García", "Luis Pérez"))["nombre"] is Kind.FULL_NAME


def test_overridden() -> None:
    columns = find_kinds({"x": several("Ann", "Bob", "Eve")})
    (column,) = override(columns, {"x": "given_name"})
    assert column.kind is Kind.GIVEN_NAME
    with pytest.raises(InvalidInput, match="Did you mean given_name"):
        override(columns, {"x": "given_nam"})
    with pytest.raises(InvalidInput, match="no column y"):
        override(columns, {"y": "given_name"})


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["1980-05-13", "1975-02-01"], DateOrder.YMD),
        (["13/05/1980", "01/02/1975"], DateOrder.DMY),
        (["05/13/1980", "02/01/1975"], DateOrder.MDY),
        (["19800513"], DateOrder.YMD),
        (["13051980", "01021975"], DateOrder.DMY),
    ],
)
def test_date_order(values: list[str], order: DateOrder) -> None:
    assert date_order(values) is order
