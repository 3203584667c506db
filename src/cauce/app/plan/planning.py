"""Making a plan: compare definitions, and look whom each difference touches."""

from collections.abc import Mapping

from msgspec.structs import replace

from cauce.app.compose import Composition
from cauce.app.in_force import makes_other_people
from cauce.app.plan.deliveries import told
from cauce.app.plan.differences import differences
from cauce.app.plan.identity import BY_REBUILD, BY_SHADOW, OtherPeople, other_people
from cauce.app.plan.identity_values import MEANINGS
from cauce.app.plan.model import Act, DefinitionChange, Effect, Plan
from cauce.app.plan.segments import Turnover, turnovers
from cauce.app.plan.snapshot import Snapshot
from cauce.app.plan.sources import source_notes
from cauce.app.plan.traits import computed_otherwise, value_changes
from cauce.app.settled import settled
from cauce.govern.access import Scope
from cauce.govern.versions import Planned
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import contents, hash_of_all
from cauce.vocabulary.language import nfc
from cauce.vocabulary.moment import HOUR, Moment, to_iso


def make_plan(
    composition: Composition,
    candidate: Definitions,
    *,
    now: Moment,
    purpose: Purpose,
    viewer: Viewer,
    meanings: Mapping[str, str] = MEANINGS,
) -> Plan:
    """What applying other definitions would change, on a snapshot of the state; the plan is kept for `apply`.

    ``meanings`` says which traits are names and birth dates. Raises ``NotAllowed`` if the
    viewer may not read people for this purpose.
    """
    composition.access.require(viewer, Scope.READ, purpose)
    hashed = hash_of_all(contents(candidate))
    before = _before(composition)
    with settled(composition.state) as reader:
        snapshot = Snapshot(before, composition.with_definitions(candidate), reader, now)
        plan = _compare(snapshot, composition.applied, hashed, meanings)
    _keep(composition, plan, now)
    return plan


def _before(composition: Composition) -> Composition:
    """The space under what is in force; under no definitions at all if none were ever applied."""
    if composition.applied:
        return composition
    empty = composition.with_definitions(Definitions())
    empty.__dict__.update(identity=composition.identity, normalization=composition.normalization)
    return empty


def _compare(snapshot: Snapshot, base: int, hashed: str, meanings: Mapping[str, str]) -> Plan:
    changes = differences(snapshot.before.definitions, snapshot.after.definitions)
    others: OtherPeople | None = None
    moved: list[Turnover] = []
    if changes and makes_other_people(snapshot.before, snapshot.after, snapshot.reader):
        others = other_people(snapshot, meanings)
    else:
        moved = list(turnovers(snapshot))
        changes = [_touching(snapshot, change, moved) for change in _with_indirect(changes, moved)]
        changes += _computed_indirectly(snapshot, changes)
    rebuilt = others.rebuilt if others else None
    at = snapshot.at if others is None else snapshot.clock if rebuilt is None else Moment(rebuilt.at)
    return Plan(
        position=snapshot.position if rebuilt is None else rebuilt.position,
        at=to_iso(at),
        base=base,
        hash=hashed,
        changes=changes,
        deliveries=told(snapshot, moved) if others is None else others.deliveries,
        what_if=others.what_if if others else None,
        rebuilt=rebuilt,
        notes=[] if others is None else [BY_SHADOW if rebuilt is None else BY_REBUILD],
    )


def _with_indirect(changes: list[DefinitionChange], moved: list[Turnover]) -> list[DefinitionChange]:
    """The changes, and the segments that change by a trait they read although nobody wrote them anew."""
    written = {change.name for change in changes if change.kind == "segments"}
    indirect = [
        DefinitionChange("segments", one.key, Act.CHANGED, [], notes=["A trait that its rule reads changes."])
        for one in moved
        if one.key not in written and (one.entering or one.leaving)
    ]
    return [*changes, *indirect]


def _computed_indirectly(snapshot: Snapshot, changes: list[DefinitionChange]) -> list[DefinitionChange]:
    """The computed traits that change by a trait they read although nobody wrote them anew."""
    if not changes or not snapshot.position:
        return []
    written = {nfc(change.name) for change in changes if change.kind == "traits"}
    note = "A trait that it is computed from changes."
    found = [
        DefinitionChange("traits", name, Act.CHANGED, [], [value_changes(snapshot, name)], [note])
        for name in computed_otherwise(snapshot)
        if name not in written
    ]
    return [one for one in found if one.effects[0].count]


def _touching(snapshot: Snapshot, change: DefinitionChange, moved: list[Turnover]) -> DefinitionChange:
    """The change with the people it touches, and with what no count shows."""
    by_key: Mapping[str, Turnover] = {one.key: one for one in moved}
    effects: list[Effect] = []
    notes = list(change.notes)
    if change.kind == "segments" and (turnover := by_key.get(change.name)):
        effects = [
            snapshot.effect("entering", turnover.entering),
            snapshot.effect("leaving", turnover.leaving),
        ]
    elif change.kind == "traits" and snapshot.position:
        effects = [value_changes(snapshot, change.name)]
    elif change.kind == "sources" and change.act is Act.REMOVED:
        notes += source_notes(snapshot, change.name)
    notes += _renames(change, snapshot)
    return replace(change, effects=effects, notes=notes)


def _renames(change: DefinitionChange, snapshot: Snapshot) -> list[str]:
    """Whether a segment that is removed comes back under another key."""
    if change.kind != "segments" or change.act is not Act.REMOVED:
        return []
    rule = snapshot.before.definitions.segments[change.name].rule
    old, new = snapshot.before.definitions.segments, snapshot.after.definitions.segments
    twins = sorted(key for key, one in new.items() if key not in old and one.rule == rule)
    return [
        f"{twin} has the same rule under another key: its members leave and enter anew." for twin in twins
    ]


def _keep(composition: Composition, plan: Plan, now: Moment) -> None:
    """Remember what was planned, so that `apply` knows its position."""
    hours = composition.settings.definitions.plan_hours
    planned = Planned(plan.position, plan.base, plan.hash, now)
    composition.versions.note_plan(planned, older_than=Moment(now - hours * HOUR))
