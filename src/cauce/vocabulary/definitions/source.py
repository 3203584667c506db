"""The definition of a source."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from cauce.vocabulary.alias import Alias
from cauce.vocabulary.definitions.naming import Name, Owner


class SourceKind(StrEnum):
    """Where the events of a source are made, which decides how far they are trusted."""

    WEB = "web"
    MOBILE = "mobile"
    SERVER = "server"
    FILE = "file"


class SourceDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A system that sends events: a web site, an app, a server, a file."""

    name: Annotated[Name, Meta(description="The name of the source; write keys and mappings refer to it.")]
    owner: Owner
    kind: Annotated[SourceKind, Meta(description="Where its events are made.")]
    description: Annotated[str, Meta(description="What the source is, for people.")] = ""
    region: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z]{2})?$",
            description="Region (ISO 3166, two letters) of phone numbers written without a country code.",
            examples=["ES"],
        ),
    ] = ""
    alias: Annotated[
        Alias,
        Meta(
            description="What its alias calls, and events `$create_alias`, say of who is who: `ignore`: "
            "nothing, as Segment documents it. `link`: the former id was seen as a `user_id` of the person, "
            "and limits hold. `anonymous`: it was seen as an `anonymous_id`, as browsers of PostHog and "
            "Mixpanel mean it.",
        ),
    ] = Alias.IGNORE
    strength: Annotated[
        int,
        Meta(description="How far identity trusts its links; higher is trusted more."),
    ] = 0
