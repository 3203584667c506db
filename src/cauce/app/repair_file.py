"""Reading the YAML file that says how to repair refused input."""

from pathlib import Path

import msgspec

from cauce.app.problems import Problems
from cauce.collect.repair import Repair
from cauce.vocabulary.yaml_lines import load_yaml


def load_repair(file: Path) -> Repair:
    """The repair in a file; raises ``BadFiles`` with the place of everything wrong in it."""
    document = load_yaml(file)
    problems = Problems()
    found = problems.fit(document, (), document.value, Repair)
    problems.refuse()
    return found if found is not msgspec.UNSET else Repair()
