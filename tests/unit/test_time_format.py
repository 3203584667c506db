"""Times in a declared format: the same as strptime gives, whatever the text."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.collect.files.time_format import time_parser

FORMATS = [
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y-%m-%d %H:%M:%S",
    "%m.%d.%Y",
    "%Y%m%d",
    "%Y%m%d%H",
    "%d/%m/%y",
    "%d/%m/%Y %M",
    "%d/%m",
    "%d %b %Y",
    "%Y-%m-%d%%",
    "%H:%M",
]


def outcome(parse: object, text: str) -> object:
    """What a parser gives, or that it refuses."""
    try:
        return parse(text)  # type: ignore[operator]
    except ValueError:
        return "refused"


@pytest.mark.parametrize("form", FORMATS)
@given(data=st.data())
def test_the_same_as_strptime(form: str, data: st.DataObject) -> None:
    parse = time_parser(form)
    when = data.draw(st.datetimes())
    text = when.strftime(form)
    text = data.draw(
        st.one_of(
            st.just(text),
            st.builds(
                lambda at, c: text[:at] + c + text[at + 1 :], st.integers(0, 20), st.sampled_from("09/: x٣")
            ),
            st.just(text.replace("0", "", 1)),
            st.just(text.replace(" ", "  ")),
            st.just(text + " "),
        )
    )
    assert outcome(parse, text) == outcome(lambda one: datetime.strptime(one, form), text)  # noqa: DTZ007


def test_plain_digits_do_not_need_strptime() -> None:
    assert time_parser("%d/%m/%Y %H:%M")("31/12/2024 23:59") == datetime(2024, 12, 31, 23, 59)  # noqa: DTZ001
    with pytest.raises(ValueError, match="day"):
        time_parser("%d/%m/%Y")("31/02/2024")
