"""What an audit says: findings with their evidence, and the changes of the rules that follow from them."""

from enum import StrEnum
from typing import Any

import msgspec

from cauce.identity.audit_measures import Example
from cauce.identity.rules import Blocked, TypeRule


class FindingKind(StrEnum):
    """What was found."""

    UNLISTED = "unlisted"
    LIMIT = "limit"
    SHARED = "shared"
    DRIFT = "drift"
    JUNK = "junk"
    PLACEHOLDER = "placeholder"
    ROLE = "role"
    DISPOSABLE = "disposable"
    TYPO = "typo"
    NO_IDENTIFIER = "no_identifier"


class ListType(msgspec.Struct, frozen=True, kw_only=True):
    """List a type that the rules ignore; ``after``: behind this type, "" at the end."""

    rule: TypeRule
    after: str = ""


class SetField(msgspec.Struct, frozen=True, kw_only=True):
    """Set a field of a type's rule: ``limit``, ``max_owners`` or ``conflict``."""

    type: str
    field: str
    value: Any


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Block values; ``personal``: it is told by its frequency alone, and might be somebody's own."""

    blocked: Blocked
    personal: bool = False


Change = ListType | SetField | Block


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found of one identifier type.

    ``people``: profiles that have such a value, or one seen with it; ``values``: how many
    values; ``says``: a sentence with the figures; ``rule``: how it was told, if by
    statistics; ``changes``: what the proposed rules do about it, none if nothing.
    """

    kind: FindingKind
    type: str
    people: int
    values: int
    says: str
    rule: str = ""
    figures: dict[str, Any] = {}
    examples: tuple[Example, ...] = ()
    changes: tuple[Change, ...] = ()


class TypeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one type that the data has; ``listed``: the rules know it."""

    type: str
    listed: bool
    values: int
    events: int
    owner_type: str = ""
    owners: dict[int, int] = {}
    """Number of owners → number of values."""
    per_person: dict[int, int] = {}
    """Number of values → number of people who have so many."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An audit: figures by type in the order of the rules, and findings by people touched, most first."""

    identifiers: int
    people: int
    types: tuple[TypeFigures, ...]
    findings: tuple[Finding, ...]
