"""What the columns of a file mean: who, when, what, how much; each with the reason.

A name says much and may lie, so values must agree with it: what is called e-mail
and holds none is no e-mail. Names are those that shops, CRMs and mailing systems
use, in English and Spanish, and some of other languages.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from cauce.collect.files.mapping.model import Kind
from cauce.collect.files.proposal.kinds import Seen


class Role(StrEnum):
    """What a column is for an event."""

    USER_ID = "user_id"
    ANONYMOUS_ID = "anonymous_id"
    EMAIL = "email"
    PHONE = "phone"
    TIME = "time"
    EVENT = "event"
    ORDER = "order"
    MESSAGE_ID = "message_id"
    PRODUCT = "product"
    QUANTITY = "quantity"
    PRICE = "price"
    AMOUNT = "amount"
    TRAIT = "trait"
    OTHER = "other"


class Meaning(NamedTuple):
    """A column's role, the path where its value belongs, and why it is believed."""

    role: Role
    path: str
    why: str


_NAMES: dict[Role, tuple[str, ...]] = {
    Role.EMAIL: (
        "email",
        "e mail",
        "mail",
        "correo",
        "correo electronico",
        "email address",
        "e mail address",
    ),
    Role.PHONE: (
        *("phone", "telephone", "mobile", "cell", "phone number", "mobile phone", "telefono", "movil", "tel"),
        *("celular", "telefon", "handy", "mobil", "telephone number"),
    ),
    Role.USER_ID: (
        *(
            "user id",
            "userid",
            "user",
            "customer id",
            "customerid",
            "customer",
            "customer no",
            "customer number",
        ),
        *(
            "customer code",
            "client id",
            "client",
            "client no",
            "member id",
            "member",
            "contact id",
            "person id",
        ),
        *(
            "account id",
            "id cliente",
            "cliente",
            "cliente id",
            "codigo cliente",
            "num cliente",
            "numero cliente",
        ),
        *(
            "kundennummer",
            "kunden id",
            "kunde",
            "cust id",
            "unique id",
            "rec id",
            "uid",
            "id usuario",
            "usuario",
        ),
    ),
    Role.ANONYMOUS_ID: (
        *(
            "anonymous id",
            "anonymousid",
            "visitor id",
            "visitor",
            "cookie",
            "cookie id",
            "device id",
            "session id",
        ),
    ),
    Role.TIME: (
        *(
            "timestamp",
            "event time",
            "time",
            "occurred at",
            "datetime",
            "date time",
            "date",
            "fecha",
            "fecha hora",
        ),
        *("order date", "invoice date", "purchase date", "transaction date", "fecha pedido", "fecha compra"),
        *("fecha factura", "datum", "bestelldatum", "created at", "created", "created on", "created date"),
        *(
            "fecha alta",
            "fecha creacion",
            "updated at",
            "updated",
            "modified at",
            "modified",
            "last modified",
        ),
        *(
            "fecha modificacion",
            "signup date",
            "registered at",
            "registration date",
            "at",
            "ts",
            "day",
            "momento",
        ),
        *("received at", "sent at", "visited at", "ordered at", "purchased at", "paid at", "hora"),
    ),
    Role.EVENT: ("event", "event name", "action", "evento", "activity", "event type", "accion", "actividad"),
    Role.ORDER: (
        *(
            "order id",
            "order no",
            "order number",
            "order",
            "invoice no",
            "invoice",
            "invoice id",
            "invoice number",
        ),
        *("factura", "num factura", "numero factura", "pedido", "id pedido", "num pedido", "numero pedido"),
        *(
            "receipt",
            "receipt id",
            "ticket",
            "transaction id",
            "transaction",
            "bestellnummer",
            "basket id",
            "cart id",
        ),
    ),
    Role.MESSAGE_ID: ("message id", "messageid", "event id", "eventid"),
    Role.PRODUCT: (
        *(
            "sku",
            "stock code",
            "stockcode",
            "product",
            "product id",
            "product name",
            "item",
            "item id",
            "articulo",
        ),
        *(
            "producto",
            "id producto",
            "codigo articulo",
            "referencia",
            "artikel",
            "description",
            "descripcion",
            "ean",
        ),
    ),
    Role.QUANTITY: (
        "quantity",
        "qty",
        "units",
        "cantidad",
        "unidades",
        "menge",
        "count",
        "number of cds",
        "pieces",
    ),
    Role.PRICE: ("price", "unit price", "unitprice", "precio", "precio unitario", "preis", "unit cost"),
    Role.AMOUNT: (
        *(
            "amount",
            "total",
            "revenue",
            "value",
            "sales",
            "importe",
            "total amount",
            "order total",
            "dollar value",
        ),
        *("dollars", "betrag", "spend", "grand total", "net amount", "monto"),
    ),
}
_TRAITS = {
    "firstName": (
        "first name",
        "firstname",
        "given name",
        "givenname",
        "nombre",
        "vorname",
        "forename",
        "name first",
    ),
    "lastName": (
        "last name",
        "lastname",
        "surname",
        "family name",
        "apellido",
        "apellidos",
        "nachname",
        "name last",
    ),
    "name": ("name", "full name", "fullname", "nombre completo", "contact name", "customer name"),
    "birthday": (
        *(
            "birthday",
            "birth date",
            "birthdate",
            "date of birth",
            "dob",
            "fecha nacimiento",
            "fecha de nacimiento",
        ),
        *("geburtsdatum", "nacimiento"),
    ),
    "gender": ("gender", "sex", "sexo", "genero", "geschlecht"),
    "company.name": ("company", "company name", "empresa", "organisation", "organization", "firma"),
    "title": ("title", "job title", "cargo", "puesto"),
    "address.city": ("city", "town", "ciudad", "poblacion", "localidad", "stadt", "ort", "suburb"),
    "address.postalCode": (
        "postcode",
        "postal code",
        "zip",
        "zip code",
        "zipcode",
        "cp",
        "codigo postal",
        "plz",
    ),
    "address.street": ("street", "address", "address 1", "direccion", "calle", "strasse", "street address"),
    "address.state": ("state", "province", "region", "provincia", "bundesland", "comunidad"),
    "address.country": ("country", "pais", "land", "country code"),
    "phone": (),
    "email": (),
}
_PERSONS = frozenset(
    (
        *("customer", "client", "user", "member", "cust", "contact", "person", "patient", "kunde", "kunden"),
        *("cliente", "usuario", "contacto", "persona", "socio"),
    )
)
_NUMBERED = frozenset(
    (
        "no",
        "n",
        "num",
        "number",
        "nr",
        "id",
        "code",
        "key",
        "ref",
        "the",
        "numero",
        "codigo",
        "cod",
        "del",
        "de",
    )
)
_BIRTH = re.compile(r"birth|\bdob\b|nacimiento|geburt")
_LOAD = re.compile(r"\b(load|import|export|extract|carga)")


def words(name: str, parts: int = 1) -> str:
    """The words of a column's name in lower case: ``CustomerID`` and ``customer_id`` alike.

    Of a path with dots, those of its last ``parts``.
    """
    flat = unicodedata.normalize("NFKD", name)
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    flat = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", " ".join(flat.split(".")[-parts:]))
    return " ".join(re.findall(r"[a-z0-9]+", flat.lower()))


def meanings(columns: Sequence[Seen]) -> dict[str, Meaning]:
    """The meaning of each column. Each of who, when and what is given to one column at most."""
    found = {column.name: _alone(column) for column in columns}
    for role in (Role.USER_ID, Role.ANONYMOUS_ID, Role.TIME, Role.EVENT, Role.ORDER, Role.MESSAGE_ID):
        _keep_best(role, columns, found)
    if not any(meaning.role in _PEOPLE for meaning in found.values()):
        _guess_person(columns, found)
    if not any(meaning.role is Role.TIME for meaning in found.values()):
        _guess_time(columns, found)
    return found


_PEOPLE = (Role.USER_ID, Role.ANONYMOUS_ID, Role.EMAIL, Role.PHONE)


def _alone(column: Seen) -> Meaning:
    """What a column means by its own name and values."""
    name = words(column.name)
    if not column.filled:
        return Meaning(Role.OTHER, column.name, "it is empty in all lines that were looked at")
    if column.emails >= 0.8:
        return Meaning(Role.EMAIL, "email", f"{_percent(column.emails)} of its values are e-mail addresses")
    named = _role_named(name) or _role_named(words(column.name, 2))
    if named is not None and _fits(named, column):
        return Meaning(named, column.name, _why(named, column))
    if (
        column.phones >= 0.9
        and column.type.kind is Kind.TEXT
        and any("+" in text for text, _ in column.common)
    ):
        return Meaning(
            Role.PHONE, "phone", f"{_percent(column.phones)} of its values look like phone numbers"
        )
    trait = next((path for path, names in _TRAITS.items() if name in names), "")
    if trait:
        return Meaning(Role.TRAIT, trait, f"the name says {trait}")
    return Meaning(Role.OTHER, column.name, "")


def _role_named(name: str) -> Role | None:
    if _BIRTH.search(name):
        return None
    for role, names in _NAMES.items():
        if name in names:
            return role
    nouns = [word for word in name.split() if word not in _NUMBERED]
    if len(nouns) == 1 and nouns[0] in _PERSONS:
        return Role.USER_ID
    for role in (Role.EMAIL, Role.PHONE, Role.TIME):
        if any(
            name.endswith(f" {one}") or name.startswith(f"{one} ") for one in _NAMES[role] if len(one) > 2
        ):
            return role
    return None


def _fits(role: Role, column: Seen) -> bool:
    """Whether the values agree with the name."""
    match role:
        case Role.EMAIL:
            return column.emails >= 0.5
        case Role.PHONE:
            return column.phones >= 0.5
        case Role.TIME:
            return column.type.kind is Kind.TIME
        case Role.QUANTITY | Role.PRICE | Role.AMOUNT:
            return column.type.kind in (Kind.NUMBER, Kind.INTEGER)
        case Role.EVENT:
            return column.type.kind is Kind.TEXT and column.distinct <= max(50, column.filled * 0.05)
        case Role.USER_ID | Role.ANONYMOUS_ID | Role.ORDER:
            return column.type.kind is not Kind.TIME and column.distinct > 1
        case Role.MESSAGE_ID:
            return column.distinct == column.filled == column.total
    return True


def _why(role: Role, column: Seen) -> str:
    filled = f"{_percent(column.filled / column.total)} of the lines have it"
    distinct = f"{column.distinct} distinct values"
    if role is Role.TIME:
        return f"the name says when; {_percent(column.share)} of its values are times"
    if role in (Role.EMAIL, Role.PHONE):
        share = column.emails if role is Role.EMAIL else column.phones
        return f"the name says {role}; {_percent(share)} of its values look like it"
    return f"the name says so; {filled}, {distinct}"


def _keep_best(role: Role, columns: Sequence[Seen], found: dict[str, Meaning]) -> None:
    """Of several columns with one role the best keeps it."""
    rivals = [column for column in columns if found[column.name].role is role]
    order = _NAMES[role]

    def rank(column: Seen) -> tuple[float, ...]:
        name = words(column.name)
        place = order.index(name) if name in order else len(order)
        loaded = bool(_LOAD.search(name))
        return (loaded, -round(column.filled / column.total, 1), place)

    for loser in sorted(rivals, key=rank)[1:]:
        found[loser.name] = Meaning(Role.OTHER, loser.name, f"another column is a better {role}")


def _guess_person(columns: Sequence[Seen], found: dict[str, Meaning]) -> None:
    """Without a telling name: a column called id, or else ids that hardly repeat, are somebody's."""
    free = [one for one in columns if found[one.name].role is Role.OTHER and one.filled == one.total > 0]
    free = [one for one in free if one.type.kind in (Kind.TEXT, Kind.INTEGER) and one.distinct > 1]
    called = [one for one in free if words(one.name) == "id" or words(one.name).endswith(" id")]
    if called:
        best = max(called, key=lambda one: one.unique)
        found[best.name] = Meaning(Role.USER_ID, best.name, "it is called an id, and every line has it")
        return
    first = free[0] if free and free[0].name == columns[0].name else None
    if (
        first is not None
        and re.fullmatch(r"\S+", first.common[0][0])
        and first.distinct >= first.filled * 0.05
    ):
        why = f"a guess: the first column has a value in every line, {first.distinct} distinct ones"
        found[first.name] = Meaning(Role.USER_ID, first.name, why)


def _guess_time(columns: Sequence[Seen], found: dict[str, Meaning]) -> None:
    """Without a telling name: the first column of times that is no birthday."""
    for column in columns:
        if column.type.kind is Kind.TIME and not _BIRTH.search(words(column.name)):
            why = f"no name says when; {_percent(column.share)} of its values are times"
            found[column.name] = Meaning(Role.TIME, column.name, why)
            return


def _percent(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%")
