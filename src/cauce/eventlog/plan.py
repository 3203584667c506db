"""Plans: how the rows of sealed files are described, as the space's definitions want it now."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cauce.eventlog.describe import OFTEN, OFTEN_SHARE, Normalizer
from cauce.eventlog.promoted import DEEPEST, path_name
from cauce.eventlog.statistics import FileStatistics, normalization_print
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Normalization
from cauce.vocabulary.language.paths import Path


class BySource:
    """How the identifiers of each source are normalized; under "" those of all others."""

    def __init__(self, how: Mapping[str, Normalization]) -> None:
        self._how = {"": DEFAULT_NORMALIZATION, **how}

    def __call__(self, source: str) -> Normalization:
        """The normalization of a source."""
        return self._how.get(source, self._how[""])

    def __eq__(self, other: object) -> bool:
        """Whether it normalizes alike."""
        return isinstance(other, BySource) and self._how == other._how

    __hash__ = None  # type: ignore[assignment]


class Plan(NamedTuple):
    """How identifiers are normalized, and the paths that rules and traits read."""

    how: Normalizer
    paths: frozenset[Path] = frozenset()

    def lacking(self, known: FileStatistics | None) -> bool:
        """Whether a file must be described anew: for a path that is not promoted, or other identifiers."""
        return known is None or self.stale(known) or any(not covers(known, path) for path in self.paths)

    def stale(self, known: FileStatistics) -> bool:
        """Whether identifiers in a file were made by another normalization than the one now."""
        now = ((normalization_print(self.how(source)), made) for source, made in known.normalized.items())
        return any(print_ != made for print_, made in now)

    def promoted(self, parts: Iterable[FileStatistics | None]) -> frozenset[Path]:
        """The paths to promote in a file made of others: those that rules read, and those seen often."""
        events, counts = 0, dict[Path, int]()
        for known in parts:
            if known is not None:
                events += known.events
                for path in known.paths:
                    kinds = known.kinds.get(path_name(path), {})
                    plain = sum(kinds.get(kind, 0) for kind in ("number", "text", "boolean"))
                    counts[path] = counts.get(path, 0) + plain
        often = sorted(counts, key=lambda path: (-counts[path], path))[:OFTEN]
        return self.paths.union(path for path in often if counts[path] >= OFTEN_SHARE * events)


def covers(known: FileStatistics, path: Path) -> bool:
    """Whether the columns of a file say everything about a path, also that it is nowhere in it."""
    if path in known.paths:
        return True
    return known.all_kinds and path_name(path[:DEEPEST]) not in known.kinds
