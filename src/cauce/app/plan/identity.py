"""Whether identity would make other people, which no change of rules in place can do."""

from cauce.app.plan.snapshot import Snapshot
from cauce.app.plan.sources import count_events
from cauce.vocabulary.errors import Conflict

BY_REBUILD = (
    "Identity rules change who is one person, so the state is derived anew from the log: apply, then "
    "`cauce rebuild` shows every difference and swaps. Until then the rules before stay in force; the "
    "counts of segments and traits are for people as they are."
)


def changes_people(snapshot: Snapshot) -> bool:
    """Whether what is folded already would make other people under the definitions after."""
    if not snapshot.position:
        return False
    try:
        snapshot.after.identity.describe(snapshot.reader, ())
    except Conflict:
        return True
    before, after = snapshot.before.normalization, snapshot.after.normalization
    sources = snapshot.before.in_force.sources.keys() | snapshot.after.in_force.sources.keys()
    return any(before(name) != after(name) and count_events(snapshot, name) for name in sorted(sources))
