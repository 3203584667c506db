"""The parts that every definition has: a name and an owner."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$", examples=["web"])]
Owner = Annotated[
    str,
    Meta(
        min_length=1,
        description="Who answers for this definition: a person, a team or an address.",
        examples=["data@example.org"],
    ),
]
