"""Settings of the stores: which engine keeps a space."""

import re
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True)
class StoreSettings:
    """Where events, state, keys and definitions are kept: files of the space, or PostgreSQL."""

    url: Annotated[str, Meta(pattern=r"^(postgres(ql)?://.*)?$")] = ""
    """The database: postgresql://user@host:5432/database. Empty: SQLite files in the space's folder."""
    schema: Annotated[str, Meta(pattern="^[a-z_][a-z0-9_]{0,39}$")] = "cauce"
    """The PostgreSQL schema that holds this space alone."""

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return without_password(self.url)


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    url = re.sub(r"(://[^:/@?]*):[^@]*@", r"\1:***@", url)
    return re.sub(r"(password=)[^&\s]*", r"\1***", url)
