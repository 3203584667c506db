"""`/api/v1/profiles`: a person by any of her identifiers."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.compose import Composition
from cauce.app.profile_view import as_json, view_profile
from cauce.vocabulary.moment import Clock

IdentifierPath = Annotated[
    str, Path(description="`TYPE:VALUE`, percent-encoded.", examples=["email:ann@example.org"])
]


class IdentifierDocument(msgspec.Struct, frozen=True):
    """A value by which some system knows the person."""

    type: str
    value: str


class ValueDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value, and which source said it when in which event.

    ``computed``: reduced from events at that time; the message id is that of the
    newest of them. ``approximate``: more was told than is kept, and might change it.
    """

    value: Any
    source: str
    time: str
    received: str
    message_id: str
    approximate: bool = False
    computed: bool = False


class ReasonDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rule that decided on a trait, and the values that lost.

    ``times``: how often a most frequent value was asserted; ``parts``: the assertion
    of each element of a union; ``skipped``: assertions of a kind that the rule does
    not take. Of a computed trait: evidence, the newest events, and when it may change.
    """

    rule: str
    lost: list[ValueDocument]
    times: int = 0
    parts: list[ValueDocument] = []
    skipped: int = 0
    evidence: str = ""
    message_ids: list[str] = []
    until: str | None = None


class AddressDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The life of an e-mail address or phone number, as of now; what did not happen is left out.

    ``dead``: since when mail does not arrive. ``superseded_by``: the address that replaced
    it. ``typo_of``: what it is probably a typing error of. ``usage``: personal, work or
    shared. ``undeliverable``: why mail would not arrive.
    """

    type: str
    address: str
    deliverable: bool
    first_seen: str
    last_seen: str
    events: int
    sources: list[str]
    confirmed: str | None = None
    bounced: str | None = None
    dead: str | None = None
    complained: str | None = None
    unsubscribed: str | None = None
    superseded_by: str = ""
    superseded_at: str | None = None
    typo_of: str = ""
    usage: str = ""
    role: bool = False
    disposable: bool = False
    undeliverable: list[str] = []


class MembershipDocument(msgspec.Struct, frozen=True):
    """Since when a person belongs to a group, and the group's golden record."""

    since: str
    traits: dict[str, ValueDocument]


class ProfileDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A golden record; ``why`` and ``links`` only if asked for.

    ``segments``: key → since when. ``groups``: group id → since when, and its traits.
    """

    profile_id: str
    identifiers: list[IdentifierDocument]
    traits: dict[str, ValueDocument]
    segments: dict[str, str]
    groups: dict[str, MembershipDocument] = {}
    addresses: list[AddressDocument] = []
    why: dict[str, ReasonDocument] = {}
    links: list[dict[str, Any]] = []


def profile_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, reading from a space; computed traits are as of the present moment of ``clock``."""
    router = APIRouter(prefix="/profiles", tags=["profiles"])

    @router.get(
        "/{identifier:path}", responses=documented(ProfileDocument, "The golden record of the person.")
    )
    def profile(
        caller: CallerKey,
        identifier: IdentifierPath,
        why: Annotated[bool, Query(description="Also say which values lost, and why.")] = False,
    ) -> Response:
        """Read the golden record of whoever has an identifier."""
        purpose, viewer = caller.purpose, caller.viewer
        view = view_profile(composition, identifier, at=clock(), purpose=purpose, viewer=viewer, why=why)
        return answer(as_json(view))

    return router
