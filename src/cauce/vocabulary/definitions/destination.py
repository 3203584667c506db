"""The definitions of destinations: what all have in common, and each kind with its own fields."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.definitions.naming import Name, Owner


class DestinationKind(StrEnum):
    """How a destination is spoken to."""

    WEBHOOK = "webhook"
    FILE = "file"
    SQL = "sql"


class FieldType(StrEnum):
    """The type of a column: what a value is written as; one that does not fit is left empty."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"


SOURCES = r"profile_id|segment|change|member|at|since|sequence|(identifier|identifiers|trait)\..+"
"""What a field may be taken from; ``identifier.email`` is the first one, ``identifiers.email`` all."""


class FieldDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a person or a change that goes to a destination."""

    value: Annotated[
        str,
        Meta(
            pattern=f"^({SOURCES})$",
            description="Where it is taken from: ``profile_id``, ``segment``, ``change``, ``member``, "
            "``at``, ``since``, ``sequence``, ``identifier.TYPE``, ``identifiers.TYPE`` or ``trait.NAME``.",
            examples=["trait.plan"],
        ),
    ]
    name: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{0,63}$",
            description="Its name over there; the last part of the value if empty.",
        ),
    ] = ""
    type: Annotated[
        FieldType | None, Meta(description="Its type over there; text for identifiers and traits.")
    ] = None

    @property
    def column(self) -> str:
        """Its name over there."""
        return self.name or self.value.partition(".")[2] or self.value


FieldText = Annotated[
    str, Meta(pattern=f"^({SOURCES})$", description="The value of a field that keeps its name and type.")
]

Secret = Annotated[str, Meta(pattern=r"^(env|file):.+$")]


class DestinationDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another system that is told what happens; each kind is a class of its own."""

    name: Annotated[Name, Meta(description="The name of the destination; segments refer to it.")]
    owner: Owner
    description: Annotated[str, Meta(description="What the destination is, for people.")] = ""
    purpose: Annotated[
        str, Meta(description="The purpose for which personal data goes there; declared in ``cauce.yaml``.")
    ] = "marketing"
    fields: Annotated[
        tuple[FieldText | FieldDef, ...],
        Meta(
            description="Which fields of a person it gets, in this order: a value such as ``trait.plan``, or "
            "``{value: trait.plan, name: plan, type: text}``. None given: what suits the kind.",
            examples=[["profile_id", "identifier.email", "trait.plan"]],
        ),
    ] = ()
    paused: Annotated[
        bool, Meta(description="Whether it is told nothing for now; what it is owed waits for it.")
    ] = False
    backfill: Annotated[
        bool,
        Meta(description="Whether it is told of the present members when a segment first names it."),
    ] = False

    @property
    def kind(self) -> DestinationKind:
        """How it is spoken to."""
        return DestinationKind(str(self.__struct_config__.tag))

    def chosen(self) -> tuple[FieldDef, ...]:
        """The fields that it gets, each written out; those that suit the kind if none are given."""
        given: tuple[Any, ...] = self.fields or self.suitable()
        return tuple(FieldDef(value=one) if isinstance(one, str) else one for one in given)

    def suitable(self) -> tuple[str, ...]:
        """The fields that suit its kind."""
        return ("identifier.email",)


class WebhookDef(DestinationDef, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """A webhook: a signed HTTP request for every change."""

    url: Annotated[
        str,
        Meta(pattern=r"^https?://[^\s]+$", description="Where requests are sent."),
    ]
    secret: Annotated[
        Secret,
        Meta(
            description="Where the signing secret is kept: ``env:VARIABLE`` or ``file:PATH``; never itself.",
            examples=["env:CRM_WEBHOOK_SECRET"],
        ),
    ]
    allow_private: Annotated[
        bool,
        Meta(description="Whether loopback and private addresses may be called; a safety net is off then."),
    ] = False
    rate: Annotated[int, Meta(ge=1, le=10_000, description="The most requests sent per second.")] = 50
    timeout: Annotated[int, Meta(ge=1, le=120, description="Seconds to wait for an answer.")] = 10


class FileFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class FileMode(StrEnum):
    """What a file holds: everybody who is in, or what changed since the file before."""

    FULL = "full"
    CHANGES = "changes"


Schedule = Annotated[
    str,
    Meta(
        pattern=r"^(every [1-9][0-9]{0,4} (minute|hour|day)s?|hourly"
        r"|(daily|weekly on [a-z]+|monthly on [1-9][0-9]?) at [0-2][0-9]:[0-5][0-9]( [A-Za-z0-9_+/-]+)?)$",
        examples=["every 1 hour", "daily at 03:00 UTC", "weekly on monday at 06:30 Europe/Madrid"],
    ),
]


class FileDef(DestinationDef, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """A folder that gets files: everybody who is in, or what changed, at set times."""

    folder: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where files are put: within the space, or absolute within one of the folders that "
            "the setting ``activate.folders`` allows.",
            examples=["exports/newsletter"],
        ),
    ]
    schedule: Annotated[
        Schedule,
        Meta(
            description="When a file is due: ``every 15 minutes``, ``hourly``, ``daily at 03:00``, "
            "``weekly on monday at 06:30``, ``monthly on 1 at 00:00``, with a time zone behind it if not UTC."
        ),
    ]
    format: Annotated[FileFormat, Meta(description="How files are written.")] = FileFormat.CSV
    mode: Annotated[
        FileMode, Meta(description="What a file holds: everybody who is in, or what changed.")
    ] = FileMode.CHANGES
    keep: Annotated[
        int, Meta(ge=0, description="How many of the newest files are kept; 0: none is ever removed.")
    ] = 0
    write_empty: Annotated[
        bool, Meta(description="Whether a file of changes is written when nothing changed.")
    ] = False
    bom: Annotated[
        bool, Meta(description="Whether a CSV file begins with a byte order mark, which Excel looks for.")
    ] = False

    def suitable(self) -> tuple[str, ...]:
        """Who she is, and the change or since when she is in."""
        moment = ("since",) if self.mode is FileMode.FULL else ("change", "at")
        return ("profile_id", "segment", *moment, "identifier.user_id", "identifier.email")


class TableMode(StrEnum):
    """What a table holds: a row with a state for all who were ever in, or exactly who is in."""

    UPSERT = "upsert"
    MIRROR = "mirror"


class SqlDef(DestinationDef, frozen=True, kw_only=True, tag_field="kind", tag="sql"):
    """A table of an SQL database: a row for each person and segment."""

    url: Annotated[
        Secret,
        Meta(
            description="Where the SQLAlchemy URL of the database is: ``env:VARIABLE`` or ``file:PATH``.",
            examples=["env:WAREHOUSE_URL"],
        ),
    ]
    table: Annotated[
        str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,63}$", description="The name of the table, to the letter.")
    ]
    schema: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{0,63}$",
            description="The schema of the table; the default one if empty.",
        ),
    ] = ""
    mode: Annotated[
        TableMode,
        Meta(description="Whether who leaves stays with a state, or the table holds exactly who is in."),
    ] = TableMode.UPSERT
    create: Annotated[bool, Meta(description="Whether the table is made if it is not there.")] = False
    batch: Annotated[int, Meta(ge=1, le=10_000, description="Rows written in one transaction.")] = 500
    compare: Annotated[
        Schedule,
        Meta(description="When a mirrored table is compared as a whole with who is in, beside the changes."),
    ] = "daily at 03:00"
    timeout: Annotated[
        int, Meta(ge=1, le=600, description="Seconds that connecting, and writing a batch, may take.")
    ] = 30

    def suitable(self) -> tuple[str, ...]:
        """Who she is; the columns that every table needs come beside them."""
        return ("identifier.user_id", "identifier.email")


AnyDestination = WebhookDef | FileDef | SqlDef
"""A destination of any kind."""

MODELS: dict[str, type[DestinationDef]] = {
    DestinationKind.WEBHOOK.value: WebhookDef,
    DestinationKind.FILE.value: FileDef,
    DestinationKind.SQL.value: SqlDef,
}
"""The class of each kind."""
