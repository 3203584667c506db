"""What commands print: tables that are never cut, text that cannot steer the terminal, exact JSON."""

from decimal import Decimal

import pytest

from cauce.app.cli.output import print_json, print_table, printable, read_moment
from cauce.app.exit_codes import EXIT_CODES, exit_code
from cauce.app.problems import BadFiles
from cauce.vocabulary.errors import BadSettings, CauceError, InvalidInput
from cauce.vocabulary.moment import Moment


def test_control_characters_are_shown_and_not_sent():
    assert printable("a\x1b[31mb\r\nc\u202e") == "a\\x1b[31mb\\r\\nc\\u202e"
    assert printable(None) == ""
    assert printable("ñandú 東京") == "ñandú 東京"


def test_a_table_is_not_cut_where_no_terminal_sets_a_width(capsys):
    print_table(("name", "value"), [("a", "x" * 300), ("longer", "[bold]y[/bold]")])
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "value"]
    assert first.rstrip() == "a       " + "x" * 300
    assert second.rstrip() == "longer  [bold]y[/bold]"


def test_json_is_one_line_and_exact(capsys):
    print_json({"total": Decimal("0.10"), "text": "a\nb"})
    assert capsys.readouterr().out == '{"total":0.10,"text":"a\\nb"}\n'


def test_a_moment_is_read_or_refused():
    assert read_moment("1970-01-01T00:00:01Z") == Moment(1_000_000)
    with pytest.raises(InvalidInput, match="names no moment"):
        read_moment("yesterday")


def test_an_error_ends_with_the_code_of_its_family():
    assert exit_code(BadFiles([])) == EXIT_CODES[BadSettings] == 2
    assert exit_code(CauceError("other")) == 1
