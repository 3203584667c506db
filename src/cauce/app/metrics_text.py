"""The text form of metrics that Prometheus reads (exposition format 0.0.4)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def family(
    name: str, kind: str, help_: str, values: Mapping[Any, float], labels: Sequence[str] = ()
) -> Iterator[str]:
    """The lines of one metric: for each tuple of label values, in the order of ``labels``, a value."""
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
    for key, value in sorted(values.items()):
        yield f"{name}{labelled(labels, key)} {value}"


def labelled(names: Sequence[str], values: Sequence[str]) -> str:
    """Labels in braces; nothing if there are none."""
    pairs = [f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True)]
    return f"{{{','.join(pairs)}}}" if pairs else ""
