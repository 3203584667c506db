"""`/api/v1/identity/audit`: what the data says about the identity rules."""

from typing import Any

import msgspec
from fastapi import APIRouter, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.compose import Composition
from cauce.app.identity_audit import as_json, audit_space


class AuditedTypeDocument(msgspec.Struct, frozen=True):
    """The figures of an identifier type.

    ``owners``: pairs of a number of owners (values of ``owner_type``) and the number of
    values that have so many; ``per_person``: pairs of a number of values and the number
    of people who have so many.
    """

    type: str
    listed: bool
    values: int
    events: int
    owner_type: str
    owners: list[tuple[int, int]]
    per_person: list[tuple[int, int]]


class AuditExampleDocument(msgspec.Struct, frozen=True):
    """A value, masked unless the purpose shows values, and the number by which it was chosen."""

    value: str
    count: int
    first: str | None
    last: str | None


class AuditFindingDocument(msgspec.Struct, frozen=True):
    """One thing that was found; ``people``: profiles with such a value or one seen with it."""

    kind: str
    type: str
    people: int
    values: int
    says: str
    rule: str
    figures: dict[str, Any]
    examples: list[AuditExampleDocument]


class AuditProposalDocument(msgspec.Struct, frozen=True):
    """The proposed rules; ``withheld``: values to block that the purpose does not show."""

    changes: int
    withheld: int
    rules: dict[str, Any]


class IdentityAuditDocument(msgspec.Struct, frozen=True):
    """What an audit says; the findings that touch most people come first."""

    identifiers: int
    people: int
    masked: bool
    types: list[AuditedTypeDocument]
    findings: list[AuditFindingDocument]
    proposal: AuditProposalDocument


def identity_audit_routes(composition: Composition) -> APIRouter:
    """The route, reading from a space."""
    router = APIRouter(prefix="/identity", tags=["identity"])

    @router.get("/audit", responses=documented(IdentityAuditDocument, "Figures, findings, proposed rules."))
    def audit(caller: CallerKey) -> Response:
        """Look at the identifiers of the space and propose rules; nothing changes."""
        return answer(as_json(audit_space(composition, purpose=caller.purpose, viewer=caller.viewer)))

    return router
