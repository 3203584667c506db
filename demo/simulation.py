"""The generated records in the simulation format of ``identity.md`` section 7, with the demo's rules."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cauce.vocabulary.moment import to_iso
from demo.chronicle import Record

DEFINITIONS = Path(__file__).parent / "definitions"

IN_FORCE = "several e-mails"
"""The policy of the demo's own rules: several addresses per person, held together by other keys."""


def rules() -> dict[str, Any]:
    """The demo's ruleset as its space has it: the identity view, with the strengths of the sources."""
    view = _read(DEFINITIONS / "identity" / "person.yaml")
    sources = [_read(path) for path in sorted((DEFINITIONS / "sources").glob("*.yaml"))]
    strength = {source["name"]: source["strength"] for source in sources if source.get("strength")}
    return {**view["rules"], "strength": strength}


def policies() -> dict[str, dict[str, Any]]:
    """The demo's ruleset beside two others, for scenario EM-14 and the matrix of the tour.

    ``unique e-mail`` allows one address per person; ``no limits`` links whatever
    was seen together.
    """
    base = rules()
    unlimited = [{"type": one["type"]} for one in base["identifiers"]]
    unique = [one | {"limit": 1} if one["type"] == "email" else one for one in base["identifiers"]]
    return {
        IN_FORCE: base,
        "unique e-mail": base | {"identifiers": unique},
        "no limits": base | {"identifiers": unlimited, "blocked": []},
    }


def observations(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One observation per record that carries identifiers."""
    result = []
    for record in records:
        ids: dict[str, list[str]] = {}
        for type_, value in record.identifiers():
            ids.setdefault(type_, []).append(value)
        result.append({"id": record.id, "ts": to_iso(record.time), "source": record.source, "ids": ids})
    return result


def _read(path: Path) -> Mapping[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict), path
    return content
