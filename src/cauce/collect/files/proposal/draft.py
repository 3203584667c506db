"""From what was seen to a mapping: the YAML of a draft, with the reasons as comments."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from cauce.collect.files.mapping.model import ColumnType, FileFormat, FileType, Kind
from cauce.collect.files.proposal.kinds import Seen
from cauce.collect.files.proposal.layout import Layout
from cauce.collect.files.proposal.meaning import Meaning, Role

_COMPARED = 5_000
_IDENTIFIES = (Role.USER_ID, Role.ANONYMOUS_ID, Role.EMAIL, Role.PHONE)
_GOODS = (Role.PRODUCT, Role.QUANTITY, Role.PRICE, Role.AMOUNT)
_SAFE = re.compile(r"[A-Za-zÀ-ÿ_][\w À-ÿ()/.-]*[\wÀ-ÿ)]|[A-Za-z_]")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


class Shape(NamedTuple):
    """What a line stands for: the call, the event's name, and the columns that lines of one event share."""

    call: str
    event: str
    group_by: str
    why: str


def shape_of(columns: Sequence[Seen], meant: dict[str, Meaning]) -> Shape:
    """Decide what a line is: a person, a line of an order, or something that happened."""
    roles = {meaning.role for meaning in meant.values()}
    by_role = {meaning.role: name for name, meaning in meant.items()}
    seen = {column.name: column for column in columns}
    if Role.EVENT in roles:
        name = by_role[Role.EVENT]
        return Shape("track", "", "", f"each line names what happened, in {name}")
    order = by_role.get(Role.ORDER, "")
    repeated = bool(order) and seen[order].unique < 0.95
    if repeated and Role.PRODUCT in roles and roles & {Role.QUANTITY, Role.PRICE, Role.AMOUNT}:
        return Shape(
            "track",
            "Order Completed",
            order,
            f"{order} repeats and each line has a product: all lines of one {order} are one order",
        )
    described = sum(meaning.role is Role.TRAIT for meaning in meant.values())
    if not order and described >= 2 and any(seen[name].unique > 0.9 for name in _people(meant)):
        return Shape(
            "identify", "", "", "names and other facts about people, who hardly repeat: a line is a person"
        )
    if order or (Role.TIME in roles and roles & {Role.QUANTITY, Role.PRICE, Role.AMOUNT}):
        return Shape("track", "Order Completed", "", "each line has a time and an amount or a quantity")
    person = next(iter(_people(meant)), "")
    if not person:
        return Shape("track", "Row Imported", "", "no column says who it is about")
    again = seen[person].unique
    if again < 0.5 and Role.TIME in roles:
        return Shape("track", "Row Imported", "", f"{person} repeats: a line is something that happened")
    return Shape("identify", "", "", f"{person} names people and hardly repeats: a line is a person")


def _people(meant: dict[str, Meaning]) -> list[str]:
    """The columns that say who, the best first."""
    named = [(_IDENTIFIES.index(one.role), name) for name, one in meant.items() if one.role in _IDENTIFIES]
    return [name for _, name in sorted(named)]


def mapping_yaml(
    layout: Layout,
    columns: Sequence[Seen],
    meant: dict[str, Meaning],
    shape: Shape,
    *,
    owner: str,
    source: str,
    known_at: str,
) -> str:
    """The mapping as YAML; ``known_at`` is the time of lines where no column says it."""
    writer = _Writer(layout, {column.name: column for column in columns}, meant, shape)
    return writer.text(owner, source, known_at)


class _Writer:
    """Writes one mapping."""

    def __init__(
        self, layout: Layout, seen: dict[str, Seen], meant: dict[str, Meaning], shape: Shape
    ) -> None:
        self._layout = layout
        self._seen = seen
        self._meant = meant
        self._shape = shape
        self._lines: list[str] = []

    def text(self, owner: str, source: str, known_at: str) -> str:
        """The whole file."""
        self._add("owner", _quoted(owner))
        self._add("source", _quoted(source))
        self._add("format", _format(self._layout.format))
        nothing = sorted({word for one in self._seen.values() for word in one.nothing} - {""})
        if nothing:
            self._add("empty", _flow(["", *nothing]))
        self._lines.append("")
        self._columns()
        self._event(known_at)
        self._who()
        self._what()
        return "\n".join(self._lines) + "\n"

    def _add(self, key: str, value: str, why: str = "", indent: int = 0) -> None:
        comment = f"  # {_one_line(why)}" if why else ""
        self._lines.append(f"{'  ' * indent}{key}:{f' {value}' if value else ''}{comment}")

    def _columns(self) -> None:
        """The columns that are no plain text."""
        declared = []
        for name, seen in self._seen.items():
            type_ = self._type(seen)
            if type_ is not None:
                declared.append((name, type_, self._doubt(seen, type_)))
        if declared:
            self._add("columns", "")
            for name, type_, doubt in declared:
                self._add(_quoted(name), type_, doubt, 1)
            self._lines.append("")

    def _type(self, seen: Seen) -> str | None:
        """How a column is declared; None if it need not be."""
        role = self._meant[seen.name].role
        from_text = self._layout.format.type is FileType.CSV
        if role is Role.TIME:
            type_ = seen.type if seen.type.kind is Kind.TIME else ColumnType(kind=Kind.TIME, zone="UTC")
            return _declared(type_)
        if role in (*_IDENTIFIES, Role.ORDER, Role.MESSAGE_ID, Role.EVENT):
            whole = all(re.fullmatch(r"\d+\.0+", text) for text, _ in seen.common) and seen.common
            return "integer" if whole and seen.share == 1.0 and from_text else None
        if role in (Role.QUANTITY, Role.PRICE, Role.AMOUNT):
            return _declared(seen.type)
        if seen.share < 1.0 or seen.type.kind in (Kind.TEXT, Kind.ANY):
            return None
        if seen.type.kind is Kind.TIME:
            return _declared(seen.type)
        return _declared(seen.type) if from_text else None

    def _doubt(self, seen: Seen, type_: str) -> str:
        doubts = [seen.doubt] if seen.doubt else []
        if "zone: UTC" in type_:
            doubts.append("the file does not say of which zone; perhaps Europe/Madrid?")
        if seen.share < 1.0 and not type_.startswith("integer"):
            refused = round((1 - seen.share) * 100, 1) or "under 0.1"
            doubts.append(f"{refused} % of its values are written otherwise: those lines are refused")
        return "; ".join(doubts)

    def _event(self, known_at: str) -> None:
        shape = self._shape
        self._lines.append(f"# {_one_line(shape.why[:1].upper() + shape.why[1:])}.")
        if shape.group_by:
            self._add("group_by", f"[{_quoted(shape.group_by)}]")
        self._add("call", shape.call)
        if shape.call == "track":
            name = self._first(Role.EVENT)
            self._add("event", f"{{column: {_quoted(name)}}}" if name else shape.event)
        when = self._first(Role.TIME)
        if not when:
            self._add("time", f"{{constant: {known_at}}}", "no column says when: the time of the file")
        elif self._seen[when].filled < self._seen[when].total:
            otherwise = f"{{column: {_quoted(when)}, otherwise: {known_at}}}"
            self._add("time", otherwise, "some lines have no time: they get that of the file")
        else:
            self._add("time", _quoted(when), self._meant[when].why)
        unique = self._first(Role.MESSAGE_ID)
        if unique:
            self._add("message_id", _quoted(unique), "it is in every line and never repeats")

    def _who(self) -> None:
        people = [name for name, meaning in self._meant.items() if meaning.role in _IDENTIFIES]
        if not people:
            self._add("person", "none", "no column says who; the events belong to nobody")
        elif all(self._seen[name].filled < self._seen[name].total for name in people):
            self._add("person", "optional", "some lines do not say who")
        for role in (Role.USER_ID, Role.ANONYMOUS_ID):
            if name := self._first(role):
                self._add(role, _quoted(name), self._meant[name].why)
        if self._shape.call != "identify":
            named = [name for name in people if self._meant[name].role in (Role.EMAIL, Role.PHONE)]
            if named:
                self._add("context", "")
            taken: set[str] = set()
            for name in named:
                path = self._free(f"traits.{self._meant[name].role}", taken)
                self._add(path, _quoted(name), self._meant[name].why, 1)

    def _what(self) -> None:
        """Everything else, as traits or properties."""
        identify = self._shape.call == "identify"
        taken: set[str] = set()
        rows: list[tuple[str, str, str]] = []
        goods: list[tuple[str, str]] = []
        for name, meaning in self._meant.items():
            role = meaning.role
            if role in (Role.USER_ID, Role.ANONYMOUS_ID, Role.TIME, Role.EVENT, Role.MESSAGE_ID):
                continue
            if role in (Role.EMAIL, Role.PHONE) and not identify:
                continue
            if self._shape.group_by and (role in _GOODS or self._varies(name)):
                goods.append((_key(name), _quoted(name)))
                continue
            path = self._free(self._path(meaning, name, identify), taken)
            rows.append((path, _quoted(name), meaning.why if meaning.role is not Role.OTHER else ""))
        self._add("traits" if identify else "properties", "" if rows or goods else "{}")
        for path, value, why in rows:
            self._add(path, value, why, 1)
        if goods:
            self._goods(goods)

    def _goods(self, goods: list[tuple[str, str]]) -> None:
        quantity, price, amount = (self._first(role) for role in (Role.QUANTITY, Role.PRICE, Role.AMOUNT))
        if amount:
            self._add("total", f"{{sum: {_quoted(amount)}}}", "the sum of its lines", 1)
        elif quantity and price:
            total = f"{{sum: {_quoted(quantity)}, times: {_quoted(price)}}}"
            self._add("total", total, "the sum over its lines", 1)
        self._add("products", "", "one for each line", 1)
        self._add("items", "", indent=2)
        taken: set[str] = set()
        for key, value in goods:
            self._add(self._free(key, taken), value, indent=3)

    def _varies(self, name: str) -> bool:
        """Whether a column's values differ within a group, in the lines that were looked at."""
        group = self._shape.group_by
        if name == group:
            return False
        first: dict[Any, Any] = {}
        rows = self._layout.rows[:_COMPARED]
        return any(first.setdefault(row[group], row[name]) != row[name] for row in rows)

    def _path(self, meaning: Meaning, name: str, identify: bool) -> str:
        if meaning.role in (Role.EMAIL, Role.PHONE):
            return str(meaning.role)
        if meaning.role is Role.TRAIT and identify:
            return meaning.path
        return _key(name)

    def _free(self, path: str, taken: set[str]) -> str:
        """A path that no other field has or leads through."""
        number, wanted = 2, path
        while any(path == one or path.startswith(f"{one}.") or one.startswith(f"{path}.") for one in taken):
            path = f"{wanted}_{number}"
            number += 1
        taken.add(path)
        return _quoted(path)

    def _first(self, role: Role) -> str:
        return next((name for name, meaning in self._meant.items() if meaning.role is role), "")


def _key(name: str) -> str:
    """The name of a property: that of the column, with dots that lead nowhere."""
    return name.strip().replace("\\", "\\\\").replace(".", "\\.")


def _format(form: FileFormat) -> str:
    if form.type is not FileType.CSV:
        return str(form.type)
    fields: dict[str, str] = {"type": "csv"}
    if form.by_spaces:
        fields["delimiter"] = "spaces"
    elif form.delimiter != ",":
        fields["delimiter"] = _flow(form.delimiter) if form.delimiter != "\t" else "tab"
    if form.fallback:
        fields["encoding"] = _flow([form.encoding, *form.fallback])
    elif form.encoding != "utf-8":
        fields["encoding"] = form.encoding
    if form.skip_spaces:
        fields["skip_spaces"] = "true"
    if isinstance(form.header, tuple):
        fields["header"] = _flow(list(form.header))
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def _declared(type_: ColumnType) -> str:
    plain = ColumnType(kind=type_.kind)
    fields = {"type": str(type_.kind)}
    if type_.formats != plain.formats:
        fields["format"] = _flow(type_.formats[0] if len(type_.formats) == 1 else list(type_.formats))
    if type_.zone:
        fields["zone"] = type_.zone
    if type_.decimal != plain.decimal:
        fields["decimal"] = _flow(type_.decimal)
    if type_.thousands:
        fields["thousands"] = _flow(type_.thousands)
    if type_.unit:
        fields["unit"] = _flow(type_.unit)
    if type_.true != plain.true:
        fields |= {"true": _flow(list(type_.true)), "false": _flow(list(type_.false))}
    if len(fields) == 1:
        return fields["type"]
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def _flow(value: str | list[str]) -> str:
    """A text or a list as YAML within a line: JSON, with what cannot be printed escaped as YAML has it."""
    text = msgspec.json.encode(value).decode()
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _quoted(name: str) -> str:
    """A text as YAML, in quotes where it needs them."""
    plain = _SAFE.fullmatch(name) and name.lower() not in _WORDS and ": " not in name
    return name if plain else _flow(name)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
