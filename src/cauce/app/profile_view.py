"""A person as people look her up: golden record, segments, and why her identifiers are hers."""

from typing import Any, NamedTuple

from cauce.app.address_view import Addresses, address_as_json, view_addresses
from cauce.app.compose import Composition
from cauce.identity.resolution import Link
from cauce.profile.golden import GoldenValue, TraitReason
from cauce.profile.service import Profile
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.identifier import Identifier, parse_identifier
from cauce.vocabulary.moment import Moment, to_iso


class ProfileView(NamedTuple):
    """What is known of one person, and of each of her addresses; ``links`` is empty unless asked why."""

    profile: Profile
    segments: dict[str, Moment]
    links: list[Link]
    addresses: Addresses


def read_identifier(composition: Composition, text: str) -> Identifier:
    """``TYPE:VALUE`` in its normal form; raises ``InvalidInput`` if it is none."""
    identifier = parse_identifier(text)
    if identifier is None:
        raise InvalidInput(
            f"{text} is no identifier.", hint="Write TYPE:VALUE, for example email:ann@example.org."
        )
    return composition.normal(identifier)


def view_profile(
    composition: Composition, text: str, *, at: Moment, purpose: Purpose, viewer: Viewer, why: bool = False
) -> ProfileView:
    """Whoever has the identifier ``TYPE:VALUE``, as of a moment; raises ``NotFound`` if nobody has."""
    identifier = read_identifier(composition, text)
    profile = composition.profiles.read(identifier, at=at, purpose=purpose, viewer=viewer, why=why)
    if profile is None:
        raise nobody(identifier)
    segments = composition.segments.memberships(identifier, purpose=purpose, viewer=viewer) or {}
    with composition.state.read() as reader:
        links = composition.identity.links(reader, profile.key) if why else []
        described = composition.identity.describe(reader, [profile.key]).get(profile.key)
        signatures = [] if described is None else described.signatures
        addresses = view_addresses(reader, signatures, composition.normalization(""), at)
    return ProfileView(profile, segments, links, addresses)


def nobody(identifier: Identifier) -> NotFound:
    """The refusal where no profile has an identifier."""
    return NotFound(
        f"Nobody has the identifier {identifier}.",
        hint="Check the type and the value; `cauce log stats` shows whether events wait to be folded.",
    )


def as_json(view: ProfileView) -> dict[str, Any]:
    """A person as JSON: times in ISO 8601, UTC."""
    profile = view.profile
    document: dict[str, Any] = {
        "profile_id": profile.profile_id,
        "identifiers": [identifier._asdict() for identifier in profile.identifiers],
        "traits": {name: golden_as_json(value) for name, value in profile.traits.items()},
        "groups": {
            group: {
                "since": to_iso(Moment(one.since)),
                "traits": {name: golden_as_json(value) for name, value in one.traits.items()},
            }
            for group, one in profile.groups.items()
        },
        "segments": {key: to_iso(since) for key, since in view.segments.items()},
        "addresses": [
            {"type": type_, "address": address, **address_as_json(fact)}
            for (type_, address), fact in view.addresses.items()
        ],
    }
    if profile.why is not None:
        document["why"] = {name: trait_reason_as_json(reason) for name, reason in profile.why.items()}
        document["links"] = [link_as_json(link) for link in view.links]
    return document


def golden_as_json(value: GoldenValue) -> dict[str, Any]:
    """A golden value and where it comes from; ``approximate`` and ``computed`` only where it is."""
    document: dict[str, Any] = {
        "value": value.value,
        "source": value.source,
        "time": to_iso(Moment(value.time)),
        "received": to_iso(Moment(value.received)),
        "message_id": value.message_id,
    }
    marks = {"approximate": value.approximate, "computed": value.computed}
    return document | {name: True for name, holds in marks.items() if holds}


def trait_reason_as_json(reason: TraitReason) -> dict[str, Any]:
    """Why a trait has its value: only what there is to say."""
    document: dict[str, Any] = {
        "rule": reason.rule,
        "lost": [golden_as_json(value) for value in reason.lost],
    }
    if reason.times is not None:
        document["times"] = reason.times
    if reason.parts:
        document["parts"] = [golden_as_json(value) for value in reason.parts]
    if reason.skipped:
        document["skipped"] = reason.skipped
    if reason.evidence:
        document["evidence"] = reason.evidence
        document["message_ids"] = reason.message_ids
        document["until"] = None if reason.until is None else to_iso(Moment(reason.until))
    return document


def link_as_json(link: Link) -> dict[str, Any]:
    """Two identifiers seen together, and whether they are one person."""
    return {
        "stronger": str(link.stronger),
        "weaker": str(link.weaker),
        "held": link.held,
        "reason": link.reason,
        "sources": list(link.sources),
        "events": link.events,
        "first_time": to_iso(link.first_time),
        "last_time": to_iso(link.last_time),
    }
