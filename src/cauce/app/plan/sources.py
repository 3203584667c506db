"""What hangs on a source that is removed: keys that go on working, and events that came from it."""

import pyarrow.compute as pc

from cauce.app.log_rows import count_rows
from cauce.app.plan.snapshot import Snapshot
from cauce.govern.keys import KeyStore


def source_notes(snapshot: Snapshot, name: str) -> list[str]:
    """Sentences about a source that is removed; none if nothing hangs on it."""
    notes = []
    keys = [
        key.id
        for key in KeyStore(snapshot.before.control).list()
        if key.source == name and key.revoked is None
    ]
    if keys:
        notes.append(f"{len(keys)} valid keys still send for it: {', '.join(keys)}. Revoke them first.")
    events = count_events(snapshot, name)
    if events:
        notes.append(f"{events} events came from it; they stay in the log and in profiles.")
    return notes


def count_events(snapshot: Snapshot, source: str) -> int:
    """How many events of the snapshot came from a source."""
    return count_rows(snapshot.before.log, snapshot.position, pc.field("source") == source)
