"""A space of its own for a small company: definitions applied, lines logged, folded by a worker."""

from pathlib import Path
from typing import Any

from cauce.app.applying import apply
from cauce.app.compose import Composition
from cauce.app.in_force import bring_into_force
from cauce.app.settings_file import settings_file
from cauce.app.worker import Worker
from cauce.govern.access import Scope
from cauce.identity.rules import default_rules
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.definitions import (
    Definitions,
    DestinationDef,
    IdentityDef,
    SegmentDef,
    SourceDef,
    SourceKind,
    TraitDef,
)
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_company import Line, logged

ANALYST = Viewer("analyst", frozenset(Scope))
OWNER = "test"


def space(folder: Path) -> Composition:
    """A new space in an empty folder."""
    (folder / "cauce.yaml").write_text(settings_file())
    return Composition(folder)


def defined(
    rules: dict[str, Any] | None = None,
    *,
    region: str = "",
    traits: tuple[TraitDef, ...] = (),
    segments: tuple[SegmentDef, ...] = (),
    destinations: tuple[DestinationDef, ...] = (),
) -> Definitions:
    """Definitions with identity rules, the default ones if none are given, and the company's sources."""
    return Definitions(
        sources={
            name: SourceDef(name=name, owner=OWNER, kind=SourceKind.WEB, region=region)
            for name in ("web", "crm")
        },
        identities={"person": IdentityDef(name="person", owner=OWNER, rules=rules or default_rules())},
        traits={one.name: one for one in traits},
        segments={one.key: one for one in segments},
        destinations={one.name: one for one in destinations},
    )


def log_lines(composition: Composition, lines: list[Line], batch: int = 0) -> Moment:
    """Log the lines of a batch, which come 100 days after those before; the moment of the last one."""
    received = Moment(0)
    for row in logged(lines):
        received = Moment(row.received + batch * 100 * DAY)
        accepted = Accepted(
            message_id=f"{batch}-{row.message_id}",
            time=Moment(row.time + batch * 100 * DAY),
            call=row.call,
            name=row.name,
            source=row.source,
            body=row.body,
        )
        composition.log.append([accepted], [], now=received)
    return received


def folded(composition: Composition, at: Moment) -> Composition:
    """The space with the log folded under the applied version, and time passed to a moment."""
    composition = bring_into_force(composition.renewed(), lambda: at)
    worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: at)
    while worker.step():
        pass
    return composition.renewed()


def applied(composition: Composition, definitions: Definitions, at: Moment) -> Composition:
    """The space with other definitions applied unseen; the state is still as it was."""
    apply(composition, definitions, at=None, now=at, viewer=ANALYST)
    return composition.renewed()


def closed(composition: Composition) -> None:
    """Close the stores."""
    for store in (composition.state, composition.control, composition.log):
        store.close()
