"""Settings of identity."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True)
class IdentitySettings:
    """Identity: its audit."""

    audit_shows_values: tuple[str, ...] = ("operations", "support")
    """The purposes for which an audit shows values in clear; for all others it masks them."""
    audit_memory_mb: Annotated[int, Meta(ge=256)] = 1_000
    """Memory of an audit, in MB; what does not fit is spilled to the folder `scratch`."""
