"""What is exported reads back equal, whatever was written; files that say the same keep their comments."""

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.app.definition_files import export, yaml_text
from cauce.app.definitions import load_definitions
from cauce.app.space import TEMPLATE
from cauce.vocabulary.definitions import Definitions, IdentityDef, SegmentDef, TraitDef
from cauce.vocabulary.definitions.canonical import contents, read_contents
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.yaml_lines import parse_yaml

PURPOSES = ("operations", "marketing")
RULES = [
    "trait('a') = 'x: #y'",
    "trait('a') = 1\n  AND trait('b') = 2\n",
    "\ntrait('é') = 'no' ",
]

_words = st.sampled_from(
    [
        "",
        "~",
        "null",
        "true",
        "no",
        "1",
        "1.50",
        "-0",
        "0x1f",
        "1e5",
        "=",
        "<<",
        "2024-01-01",
        "- a",
        "a: b",
        "# c",
        "'",
        '"',
        " lead",
        "trail ",
        "\ttab",
        "a\nb",
        "a\n\n",
        "|",
        "é\u2028x",
        "\x85",
        "%",
        "@",
        "`",
    ]
)
_texts = _words | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | _texts
_decimals = st.decimals(-1000, 1000, allow_nan=False, places=2)
_values = st.recursive(
    _scalars | _decimals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=settings.default.max_examples)
@given(value=st.dictionaries(_texts, _values, min_size=1, max_size=3))
def test_yaml_text_reads_back_equal(value: dict[str, object]) -> None:
    read = parse_yaml(yaml_text(value), "x").value
    assert read == value
    assert repr(read) == repr(value)  # 1 is not true, and 1.50 not 1.5


def person(rules: dict[str, object]) -> IdentityDef:
    known: dict[str, object] = {"identifiers": [{"type": "user_id", "limit": 1}]}
    return IdentityDef(name="person", owner="o", rules=known | rules)


@settings(max_examples=25)
@given(
    traits=st.dictionaries(st.text(min_size=1, max_size=8).filter(str.strip), _texts, max_size=3),
    segments=st.dictionaries(
        st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,9}", fullmatch=True), st.sampled_from(RULES), max_size=3
    ),
)
def test_an_export_reads_back_equal(traits: dict[str, str], segments: dict[str, str]) -> None:
    written = Definitions(
        identities={"person": person({})},
        traits={name: TraitDef(name=name, owner="o", description=text) for name, text in traits.items()},
        segments={key: SegmentDef(key=key, owner="o", rule=rule) for key, rule in segments.items()},
    )
    assert contents(read_contents(contents(written))) == contents(written)
    with TemporaryDirectory() as name:
        folder = Path(name)
        export(written, folder)
        assert contents(load_definitions(folder, PURPOSES)) == contents(written)
        again = export(written, folder)
        assert (again.written, again.removed) == ([], [])


def test_files_that_say_the_same_are_left_alone(tmp_path: Path) -> None:
    export_of_template = load_definitions(TEMPLATE, PURPOSES)
    export(export_of_template, tmp_path)
    commented = tmp_path / "segments/recent_buyers.yaml"
    commented.write_text("# why\n" + commented.read_text())
    listed = tmp_path / "traits/all.yaml"
    listed.write_text("# two\n- {name: x, owner: o}\n- {name: y, owner: o}\n")
    changed = load_definitions(tmp_path, PURPOSES)
    fewer = Definitions(
        **{name: getattr(changed, name) for name in ("sources", "identities", "segments", "destinations")},
        traits={name: one for name, one in changed.traits.items() if name != "y"},
    )
    with pytest.raises(Conflict) as refused:
        export(fewer, tmp_path)
    assert "all.yaml" in str(refused.value)
    assert "# two" in listed.read_text()
    done = export(fewer, tmp_path, overwrite=True)
    assert done.written == [listed]
    assert commented in done.left
    assert commented.read_text().startswith("# why")
    assert contents(load_definitions(tmp_path, PURPOSES)) == contents(fewer)
    none = Definitions(**{name: getattr(fewer, name) for name in ("sources", "identities", "destinations")})
    gone = export(none, tmp_path, overwrite=True)
    assert listed in gone.removed
    assert not listed.exists()


def test_an_exact_number_keeps_its_digits() -> None:
    assert yaml_text({"a": Decimal("1E-7"), "b": Decimal("1.50")}) == "a: 0.0000001\nb: 1.50\n"
