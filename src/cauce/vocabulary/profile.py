"""Profiles: what identity calls one person, and how the stages name her to each other."""

from typing import NewType

ProfileKey = NewType("ProfileKey", int)
"""A profile within one identity view: the integer id of its anchor identifier."""

SignatureKey = NewType("SignatureKey", int)
"""A signature: the integer id of one set of normalized identifiers that events carried."""
