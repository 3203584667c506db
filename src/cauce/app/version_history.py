"""What each version changed over the one before."""

from typing import NamedTuple

from cauce.app.plan.differences import differences
from cauce.app.plan.model import DefinitionChange
from cauce.govern.versions import Version, Versions
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import read_contents
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.nearest import did_you_mean


class Recorded(NamedTuple):
    """A version, and what it changed."""

    version: Version
    changes: list[DefinitionChange]


def versions_with_changes(versions: Versions) -> list[Recorded]:
    """Every version and what it changed, oldest first."""
    found = []
    before = Definitions()
    for version in versions.all():
        after = read_contents(versions.contents(version.number))
        found.append(Recorded(version, differences(before, after)))
        before = after
    return found


def history_of(versions: Versions, name: str) -> list[Recorded]:
    """The versions that changed one definition, and how; ``name`` with its kind before a slash, or without.

    Raises ``NotFound`` if no version ever had it.
    """
    found: list[Recorded] = []
    names: set[str] = set()
    for version, changes in versions_with_changes(versions):
        names.update(change.name for change in changes)
        wanted = [change for change in changes if name in (change.name, f"{change.kind}/{change.name}")]
        if wanted:
            found.append(Recorded(version, wanted))
    if not found:
        raise NotFound(f"No version has a definition {name}.", hint=did_you_mean(name, sorted(names)))
    return found
