"""Reading how a file is written and what its columns hold."""

from zoneinfo import ZoneInfo, available_timezones

from cauce.collect.files.mapping.entry import Entry
from cauce.collect.files.mapping.model import ColumnType, FileFormat, FileType, Kind
from cauce.vocabulary.nearest import did_you_mean

FORMAT_KEYS = ("type", "delimiter", "quote", "encoding", "header", "skip_spaces", "sheet")
_KEYS_OF = {
    FileType.JSONL: ("type",),
    FileType.PARQUET: ("type",),
    FileType.EXCEL: ("type", "sheet", "header"),
    FileType.CSV: tuple(key for key in FORMAT_KEYS if key != "sheet"),
}
COLUMN_KEYS = {
    Kind.TEXT: (),
    Kind.ANY: (),
    Kind.INTEGER: ("thousands", "unit"),
    Kind.NUMBER: ("decimal", "thousands", "unit"),
    Kind.BOOLEAN: ("true", "false"),
    Kind.TIME: ("format", "zone"),
}


def read_format(entry: Entry | None) -> FileFormat:
    """The format of the file; CSV if none is given."""
    if entry is None:
        return FileFormat(type=FileType.CSV)
    if isinstance(entry.value, str):
        return FileFormat(type=entry.choice(FileType))
    entry.only(FORMAT_KEYS)
    type_ = entry.need("type", f"One of {', '.join(FileType)}.").choice(FileType)
    entry.only(_KEYS_OF[type_])
    if type_ is not FileType.CSV:
        sheet = entry.get("sheet")
        return FileFormat(type=type_, sheet=sheet.text() if sheet else "", header=_named(entry))
    delimiter, skip = entry.get("delimiter"), entry.get("skip_spaces")
    by_spaces = delimiter is not None and delimiter.value in ("spaces", " ")
    encoding, *fallback = _encodings(entry)
    return FileFormat(
        type=type_,
        delimiter=" " if by_spaces else _mark(entry, "delimiter", ","),
        quote="" if by_spaces else _mark(entry, "quote", '"', or_none=True),
        encoding=encoding,
        fallback=tuple(fallback),
        header=_named(entry),
        skip_spaces=bool(skip and skip.boolean()) and not by_spaces,
        by_spaces=by_spaces,
    )


def _named(entry: Entry) -> bool | tuple[str, ...]:
    header = entry.get("header")
    if header is None:
        return True
    if not isinstance(header.value, bool):
        return header.texts()
    if not header.value:
        raise header.error("a file without header needs names.", "List the names of the columns in order.")
    return True


def _mark(entry: Entry, key: str, default: str, *, or_none: bool = False) -> str:
    found = entry.get(key)
    if found is None:
        return default
    if or_none and found.value == "":
        return ""
    text = {"tab": "\t", "\\t": "\t"}.get(found.text(), found.text())
    if len(text) != 1 or text in "\r\n\0":
        raise found.error(f"{key} must be one character.", "Write tab for a tab.")
    return text


def _encodings(entry: Entry) -> tuple[str, ...]:
    """The encodings to try for each line, in order."""
    found = entry.get("encoding")
    if found is None:
        return ("utf-8",)
    for one in found.items():
        name = one.text()
        try:
            fits = b"a,\n".decode(name) == "a,\n" and "a,\n".encode(name) == b"a,\n"
        except (LookupError, UnicodeError):
            fits = False
        if not fits:
            raise one.error(
                f"the encoding {name} cannot be read.",
                "Use one that contains ASCII, e.g. utf-8, latin-1, cp1252; UTF-16 is recognised by itself.",
            )
    if not found.items():
        raise found.error("encoding is empty.")
    return found.texts()


def read_columns(top: Entry) -> dict[str, ColumnType]:
    """The types of the columns that are declared."""
    entry = top.get("columns")
    return {name: _column(column) for name, column in entry.entries()} if entry else {}


def _column(entry: Entry) -> ColumnType:
    if not isinstance(entry.value, dict):
        return ColumnType(kind=entry.choice(Kind))
    kind = entry.need("type", f"One of {', '.join(Kind)}.").choice(Kind)
    entry.only(("type", "required", *COLUMN_KEYS[kind]))
    plain = ColumnType(kind=kind)
    required, true, false = entry.get("required"), entry.get("true"), entry.get("false")
    form = entry.get("format")
    decimal, thousands = _mark(entry, "decimal", "."), _mark(entry, "thousands", "")
    if decimal == thousands or not {decimal, thousands}.isdisjoint("0123456789+-eE"):
        raise entry.error("decimal and thousands must be two different marks.")
    unit = entry.get("unit")
    return ColumnType(
        kind=kind,
        formats=form.texts() if form else plain.formats,
        zone=_zone(entry.get("zone")),
        decimal=decimal,
        thousands=thousands,
        unit=_unit(unit) if unit else "",
        true=_lower(true) if true else plain.true,
        false=_lower(false) if false else plain.false,
        required=required.boolean() if required else False,
    )


def _unit(entry: Entry) -> str:
    unit = entry.text().strip()
    if not unit or not set("0123456789+-.,").isdisjoint(unit):
        raise entry.error("a unit is a text without digits and marks of numbers, such as € or EUR.")
    return unit


def _lower(entry: Entry) -> tuple[str, ...]:
    return tuple(word.lower() for word in entry.texts())


def _zone(entry: Entry | None) -> str:
    if entry is None:
        return ""
    try:
        return ZoneInfo(entry.text()).key
    except (KeyError, OSError, ValueError) as wrong:
        name = entry.text()
        raise entry.error(f"unknown time zone {name}.", did_you_mean(name, available_timezones())) from wrong
