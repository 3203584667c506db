"""What a column of records holds, and what of it a model keeps."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What the values of a column are, for a comparison of people."""

    GIVEN_NAME = "given_name"
    SURNAME = "surname"
    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    POST_CODE = "post_code"
    STREET = "street"
    HOUSE_NUMBER = "house_number"
    PLACE = "place"
    STATE = "state"
    EMAIL = "email"
    PHONE = "phone"
    ID = "id"
    CATEGORY = "category"
    TEXT = "text"
    RECORD_KEY = "record_key"
    SOURCE = "source"
    IGNORED = "ignored"


COMPARED = frozenset(Kind) - {Kind.RECORD_KEY, Kind.SOURCE, Kind.IGNORED}
"""The kinds that say something about whose record it is."""


class DateOrder(StrEnum):
    """In which order day, month and year are written where a date has no month's name."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column, its kind, and why it is believed to be of it.

    ``order`` is how dates are written; it counts for birth dates alone.
    """

    name: str
    kind: Kind
    why: str = ""
    order: DateOrder = DateOrder.YMD
