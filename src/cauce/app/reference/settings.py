"""The page about settings."""

from typing import Any

import msgspec

from cauce.app.field_docs import field_sentences, first_sentence
from cauce.app.reference.markdown import code, page, table
from cauce.app.settings import Setting, Settings, declared

_HEAD = """\
# Settings

A setting is read from the environment, else from `cauce.yaml` in the space, else it has its default.
`cauce config show` prints each value and where it came from. Unknown settings are refused, with the
nearest valid name. Lists in the environment are separated by commas.
"""


def settings_reference() -> str:
    """Every setting with its default, its variable and its sentence."""
    sections: dict[str, list[Setting]] = {}
    for setting in declared():
        sections.setdefault(setting.path[0] if len(setting.path) > 1 else "", []).append(setting)
    blocks = []
    for name, settings in sections.items():
        section = type(getattr(Settings(), name)) if name else Settings
        title = f"## {name}\n\n{first_sentence(section)}" if name else ""
        blocks += [title, _table(section, settings)]
    return page(_HEAD, *blocks)


def _table(section: type[Any], settings: list[Setting]) -> str:
    sentences = field_sentences(section)
    rows = [
        (code(one.name), code(_default(one.default)), code(one.variable), sentences.get(one.path[-1], ""))
        for one in settings
    ]
    return table(("setting", "default", "variable", "meaning"), rows)


def _default(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
