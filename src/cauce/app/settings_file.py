"""The settings file that a new space gets: every setting with its sentence and default, as comments."""

from collections.abc import Iterator
from typing import Any

import msgspec

from cauce.app.field_docs import field_sentences, first_sentence, own_fields_first
from cauce.app.settings import Settings

_HEAD = """\
# yaml-language-server: $schema=.schemas/settings.json
# The settings of this space. Remove a "#" to change a default; `cauce config show` prints what holds.
"""


def settings_file() -> str:
    """The text of the commented ``cauce.yaml``."""
    return "\n".join([_HEAD, *_lines(Settings(), "")])


def _lines(section: Any, indent: str) -> Iterator[str]:
    sentences = field_sentences(type(section))
    for one in own_fields_first(type(section)):
        value = getattr(section, one.name)
        if hasattr(value, "__dataclass_fields__"):
            yield f"{indent}# {first_sentence(type(value))}"
            yield f"{indent}{one.name}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}# {sentences.get(one.name, '')}"
            yield f"{indent}# {one.name}: {_scalar(value)}"
        if not indent:
            yield ""


def _scalar(value: Any) -> str:
    if isinstance(value, tuple):
        shown = [one if one.isalnum() else msgspec.json.encode(one).decode() for one in value]
        return f"[{', '.join(shown)}]"
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()
