import pytest

from cauce.app.rule_place import rule_place
from cauce.vocabulary.yaml_lines import parse_yaml


@pytest.mark.parametrize(
    ("yaml", "word", "expected"),
    [
        ("rule: count() >= x\n", "x", (1, 18)),
        ("rule: 'trait(''a'') = x'\n", "x", (1, 23)),
        ('rule: "trait(1) = x"\n', "x", (1, 19)),
        ("rule: |\n  one\n    two\n  x\n", "two", (3, 5)),
        ("rule: |-\n\n      one\n      x\n", "x", (4, 7)),
        ("- a\n- rule: |  # why\n    x\n", "x", (3, 5)),
        ("rule: one\n  two\n  x\n", "x", None),
        ("rule: >\n  one\n  x\n", "x", None),
        ('rule: "trait(\\"a\\") = x"\n', "x", None),
    ],
)
def test_the_place_of_a_word_of_a_rule(yaml, word, expected):
    document = parse_yaml(yaml, "a.yaml")
    [steps] = [steps for steps in document.values if steps[-1:] == ("rule",)]
    value = document.value
    for step in steps:
        value = value[step]
    place = rule_place(yaml.splitlines(), document.values[steps], value, value.index(word))
    assert place == expected


def test_the_end_of_a_rule_has_a_place():
    yaml = "rule: count() >=\n"
    document = parse_yaml(yaml, "a.yaml")
    text = document.value["rule"]
    assert rule_place(yaml.splitlines(), document.values[("rule",)], text, len(text)) == (1, 17)
