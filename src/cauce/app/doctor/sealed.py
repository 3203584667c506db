"""What the doctor looks at in the sealed files of the log: that each is byte for byte what was sealed."""

from cauce.app.compose import Composition
from cauce.app.doctor.findings import Finding, error, fine
from cauce.eventlog.sealed import verify
from cauce.vocabulary.errors import Conflict

_NAMED = 5


def sealed(composition: Composition) -> Finding:
    """Every sealed file is there and whole; reads all of them."""
    ranges = composition.log.sealed() if composition.has_log else []
    damaged = []
    for one in ranges:
        try:
            verify(composition.space.sealed / one.file, one)
        except Conflict:
            damaged.append(one.file)
    if damaged:  # compaction may have put another file in their place meanwhile
        there = {one.file for one in composition.log.sealed()}
        damaged = [file for file in damaged if file in there]
    if not damaged:
        return fine("sealed", f"{len(ranges)} sealed files are whole.")
    more = f" and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
    return error(
        "sealed",
        f"Sealed files are missing or damaged: {', '.join(damaged[:_NAMED])}{more}.",
        f"cauce log repair --from BACKUP {composition.space.option}",
    )
