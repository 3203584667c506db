"""Rulesets: what people write down about one identity view (``identity.md`` section 2)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.nearest import did_you_mean

ANY_TYPE = "*"


class Conflict(StrEnum):
    """Which link is tried first where links compete for an identifier of this type."""

    NEWEST = "newest"
    OLDEST = "oldest"


class Normalize(StrEnum):
    """How values of a type are normalized, beyond Unicode NFKC and trimming."""

    EMAIL = "email"
    LOWER = "lower"
    PHONE = "phone"
    ADDRESS = "address"


Count = Annotated[int, Meta(ge=1)]


class TypeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rule of one identifier type; its place in the list is its priority."""

    type: Annotated[str, Meta(pattern=r"^[^:\s*]+$", description="The name of the identifier type.")]
    limit: Annotated[Count | None, Meta(description="Values per profile; none: unlimited.")] = None
    window: Annotated[
        Count | None, Meta(description="Seconds within which the limit counts first sightings.")
    ] = None
    conflict: Annotated[Conflict, Meta(description="Which of two competing links is tried first.")] = (
        Conflict.NEWEST
    )
    normalize: Annotated[Normalize | None, Meta(description="How values are normalized.")] = None
    max_owners: Annotated[
        Count | None,
        Meta(description="Linked to more values of one stronger type of limit 1, an identifier is shared."),
    ] = None


class Blocked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values that are nobody's: by ``value`` without regard to case, or by ``regex`` in full."""

    type: Annotated[str, Meta(description="The identifier type, or * for all.")] = ANY_TYPE
    value: Annotated[str | int | None, Meta(description="The value.")] = None
    regex: Annotated[str | None, Meta(description="A regular expression for the whole value.")] = None


class Ruleset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of one identity view, strongest identifier type first. Immutable once used."""

    identifiers: Annotated[
        tuple[TypeRule, ...], Meta(min_length=1, description="Identifier types, strongest first.")
    ]
    blocked: Annotated[tuple[Blocked, ...], Meta(description="Values that are nobody's.")] = ()
    strength: Annotated[dict[str, int], Meta(description="Source → trust; higher is trusted more.")] = {}
    purpose: Annotated[str, Meta(description="The purpose this view serves.")] = ""
    max_ids_per_event: Annotated[Count, Meta(description="An event with more identifiers links nothing.")] = (
        20
    )

    @property
    def hash(self) -> str:
        """The name of these rules: equal rules have equal hashes."""
        canonical = msgspec.json.encode(self, order="deterministic")
        return blake2b(canonical, digest_size=16).hexdigest()

    @property
    def normalization(self) -> Normalization:
        """How values are normalized, without a default region for phone numbers."""
        return Normalization({rule.type: rule.normalize for rule in self.identifiers if rule.normalize})


def read_rules(document: Mapping[str, Any]) -> Ruleset:
    """The ruleset of a decoded YAML or JSON document.

    Raises ``BadSettings`` naming the place (``identifiers[2].limit``) and, for an
    unknown key, the nearest valid one.
    """
    _check_keys(document, Ruleset, "")
    for name, kind in (("identifiers", TypeRule), ("blocked", Blocked)):
        entries = document.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
            _check_keys(entry, kind, f"{name}[{index}]")
    try:
        ruleset = msgspec.convert(document, Ruleset)
    except msgspec.ValidationError as error:
        raise _wrong(
            str(error).replace("`$.", "`"), "Correct the value; its kind is in the message."
        ) from error
    _check_types(ruleset)
    _check_blocked(ruleset)
    return ruleset


def _check_keys(entry: object, kind: type[msgspec.Struct], place: str) -> None:
    where = f" at {place}" if place else ""
    if not isinstance(entry, Mapping):
        raise _wrong(f"expected a mapping{where}", f"Valid keys: {', '.join(kind.__struct_fields__)}.")
    for key in entry:
        if key not in kind.__struct_fields__:
            raise _wrong(f"unknown key {key}{where}", did_you_mean(str(key), kind.__struct_fields__))


def _check_types(ruleset: Ruleset) -> None:
    seen: set[str] = set()
    for index, rule in enumerate(ruleset.identifiers):
        if rule.type in seen:
            raise _wrong(
                f"{rule.type} is listed twice, at identifiers[{index}].type", "Remove one of the two."
            )
        seen.add(rule.type)


def _check_blocked(ruleset: Ruleset) -> None:
    for index, one in enumerate(ruleset.blocked):
        if (one.value is None) == (one.regex is None):
            raise _wrong(
                f"blocked[{index}] needs either value or regex",
                "Quote words that YAML takes for something else, such as 'null'.",
            )
        if one.regex is not None:
            try:
                re.compile(one.regex)
            except re.error as error:
                raise _wrong(
                    f"blocked[{index}].regex does not parse: {error}", "Correct the expression."
                ) from error


def _wrong(what: str, hint: str) -> BadSettings:
    return BadSettings(f"Identity rules: {what}.", hint=hint)


_DEVICES = (
    "android.id",
    "android.idfa",
    "android.push_token",
    "ios.id",
    "ios.idfa",
    "ios.push_token",
    "cross_domain_id",
    "ga_client_id",
    "anonymous_id",
)
_JUNK = ("-1", "null", "anonymous", "undefined", "none", "n/a", "nan", "unknown", "test@test.com")


def default_rules() -> dict[str, Any]:
    """The default rules as a document for ``read_rules`` (``identity.md`` section 3, Defaults)."""
    return {
        "identifiers": [
            {"type": "user_id", "limit": 1},
            {"type": "email", "limit": 5, "normalize": "email", "max_owners": 20},
            {"type": "phone", "limit": 3, "normalize": "phone", "max_owners": 20},
            *({"type": device, "max_owners": 50} for device in _DEVICES),
        ],
        "blocked": [
            {"type": ANY_TYPE, "regex": r"[+0:.-]*"},
            *({"type": ANY_TYPE, "value": junk} for junk in _JUNK),
        ],
        "strength": {},
        "max_ids_per_event": 20,
    }
