"""`/api/v1/definitions`: what is applied, every version of it, and what other definitions would change."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import CallerKey, ReaderKey
from cauce.app.applying import apply, require_define, take_in, what_is_awaited
from cauce.app.compose import Composition
from cauce.app.plan.model import DefinitionChange, Plan
from cauce.app.plan.planning import make_plan
from cauce.app.version_history import Recorded, versions_with_changes
from cauce.govern.versions import Version
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import plain, written_fields
from cauce.vocabulary.definitions.kinds import KINDS
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import Clock, to_iso

_WAIT_SECONDS = 10.0
_AWAITED = "The worker brings the version into force; its log says what stands in the way."


class DefinitionsDocument(msgspec.Struct, frozen=True):
    """The definitions of a version by kind; ``in_force`` is the version that the state was made with."""

    version: int
    in_force: int
    definitions: dict[str, list[dict[str, Any]]]


class VersionDocument(msgspec.Struct, frozen=True):
    """A version: when it was applied, by whom and why; ``again`` is the one that a rollback brought back."""

    number: int
    at: str
    viewer: str
    note: str
    hash: str
    again: int | None
    changes: list[DefinitionChange]


class VersionsDocument(msgspec.Struct, frozen=True):
    """Every version, oldest first, with what each changed over the one before."""

    data: list[VersionDocument]


class AppliedDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What applying came to: ``applied`` is false if that version said the same already.

    ``awaited`` is there if the version is not in force yet: what happens before it is,
    which `GET /definitions` tells by its ``in_force``.
    """

    version: int
    applied: bool
    in_force: bool
    awaited: str = ""


NumberPath = Annotated[int, Path(ge=1, le=2**31, description="The number of the version.")]
ToQuery = Annotated[
    int, Query(ge=0, le=2**31, description="An earlier version instead of the folder; 0: the folder.")
]
AtQuery = Annotated[
    int | None, Query(ge=0, le=2**62, description="The position of the plan; needed unless `force` is set.")
]
ForceQuery = Annotated[bool, Query(description="Apply without a plan.")]
NoteQuery = Annotated[str, Query(max_length=1_000, description="Why; it is kept with the version.")]


def definition_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes over the definitions of a space; its folder is the working copy."""
    router = APIRouter(prefix="/definitions", tags=["definitions"])
    _route_reads(router, composition)
    _route_plan(router, composition, clock)
    _route_changes(router, composition, clock)
    return router


def _route_reads(router: APIRouter, composition: Composition) -> None:
    @router.get("", responses=documented(DefinitionsDocument, "The definitions."))
    def applied(_: ReaderKey) -> Response:
        """Read the definitions that are applied."""
        current = composition.renewed()
        return answer(
            DefinitionsDocument(current.applied, current.version_in_force, _by_kind(current.definitions))
        )

    @router.get("/versions", responses=documented(VersionsDocument, "The versions."))
    def versions(_: ReaderKey) -> Response:
        """List every version that was applied, and what it changed."""
        return answer(
            VersionsDocument([_version(one) for one in versions_with_changes(composition.versions)])
        )

    @router.get("/versions/{number}", responses=documented(DefinitionsDocument, "The definitions."))
    def version(_: ReaderKey, number: NumberPath) -> Response:
        """Read the definitions of one version."""
        kept = composition.versions.definitions(number)
        return answer(DefinitionsDocument(number, composition.renewed().version_in_force, _by_kind(kept)))


def _route_plan(router: APIRouter, composition: Composition, clock: Clock) -> None:
    @router.post("/plan", responses=documented(Plan, "The plan."))
    def plan(caller: CallerKey, to: ToQuery = 0) -> Response:
        """Say what applying would change and whom it would touch; nothing is applied."""
        require_define(caller.viewer)
        current = composition.renewed()
        made = make_plan(
            current, _candidate(current, to), now=clock(), purpose=caller.purpose, viewer=caller.viewer
        )
        return answer(made)


def _route_changes(router: APIRouter, composition: Composition, clock: Clock) -> None:
    @router.post("/apply", responses=documented(AppliedDocument, "What became of it."))
    def apply_folder(
        caller: CallerKey, at: AtQuery = None, force: ForceQuery = False, note: NoteQuery = ""
    ) -> Response:
        """Apply the definitions of the folder, as planned; what is applied already changes nothing."""
        current = composition.renewed()
        require_define(caller.viewer)
        candidate = _candidate(current, 0)
        position = _position(at, force)
        version = apply(current, candidate, at=position, now=clock(), viewer=caller.viewer, note=note)
        return _applied(current, version, clock)

    @router.post("/versions/{number}/rollback", responses=documented(AppliedDocument, "What became of it."))
    def rollback(
        caller: CallerKey,
        number: NumberPath,
        at: AtQuery = None,
        force: ForceQuery = False,
        note: NoteQuery = "",
    ) -> Response:
        """Apply an earlier version again, as a new one; the folder stays as it is."""
        current = composition.renewed()
        require_define(caller.viewer)
        candidate = _candidate(current, number)
        position = _position(at, force)
        version = apply(
            current, candidate, at=position, now=clock(), viewer=caller.viewer, note=note, again=number
        )
        return _applied(current, version, clock)


def _candidate(composition: Composition, number: int) -> Definitions:
    return composition.earlier_definitions(number) if number else composition.folder_definitions()


def _position(at: int | None, force: bool) -> int | None:
    if at is None and not force:
        raise InvalidInput(
            "Applying needs the position of a plan.",
            hint="POST /definitions/plan, and send its position as `at`; or set `force`.",
        )
    return None if force else at


def _applied(composition: Composition, version: Version | None, clock: Clock) -> Response:
    number = version.number if version else composition.versions.latest()
    in_force = take_in(composition, number, clock, wait_seconds=_WAIT_SECONDS)
    awaited = "" if in_force else what_is_awaited(composition) or _AWAITED
    return answer(AppliedDocument(number, version is not None, in_force, awaited))


def _by_kind(definitions: Definitions) -> dict[str, list[dict[str, Any]]]:
    return {
        kind.folder: [plain(written_fields(one)) for one in kind.of(definitions).values()] for kind in KINDS
    }


def _version(one: Recorded) -> VersionDocument:
    version = one.version
    return VersionDocument(
        version.number,
        to_iso(version.at),
        version.viewer,
        version.note,
        version.hash,
        version.again,
        one.changes,
    )
