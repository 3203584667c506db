"""Destinations as programs read them."""

from typing import Any

import msgspec

from cauce.activate.runs import Run
from cauce.activate.status import Status
from cauce.vocabulary.moment import iso_or_none, to_iso


def as_json(status: Status) -> dict[str, Any]:
    """A destination and where it stands; times in ISO 8601, UTC. Secrets are referred to, never told."""
    definition = status.definition
    return {
        "name": definition.name,
        "kind": str(definition.kind),
        "owner": definition.owner,
        "description": definition.description,
        "purpose": definition.purpose,
        "paused": definition.paused,
        "fields": [f"{field.value} as {field.column}" for field in definition.chosen()],
        "segments": list(status.segments),
        "waiting": status.waiting,
        "states": dict(status.counts),
        "oldest": iso_or_none(status.oldest),
        "error": status.error,
        "run": None if status.run is None else _run(status.run),
    }


def _run(run: Run) -> dict[str, Any]:
    """The last file or comparison."""
    found: dict[str, Any] = msgspec.to_builtins(run)
    return {**found, "due": to_iso(run.due), "done": iso_or_none(run.done)}
