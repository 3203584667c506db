"""Settings of the activate stage."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta


@dataclass(frozen=True)
class ActivateSettings:
    """How deliveries are attempted, given up and kept."""

    max_attempts: Annotated[int, Meta(ge=1)] = 100
    """Attempts after which a delivery becomes a dead letter."""
    max_age_hours: Annotated[int, Meta(ge=1)] = 72
    """Hours since the first attempt after which a delivery becomes a dead letter."""
    backoff_seconds: Annotated[float, Meta(gt=0)] = 1.0
    """The longest wait after the first failed attempt; it doubles with each further one."""
    backoff_limit_seconds: Annotated[float, Meta(gt=0)] = 3600.0
    """The longest wait between two attempts, also where the destination asks for more."""
    concurrency: Annotated[int, Meta(ge=1, le=1_000)] = 32
    """Requests under way at a time, for each destination."""
    failures_before_pause: Annotated[int, Meta(ge=1)] = 10
    """Attempts failed in a row after which a destination is left alone for a while."""
    pause_limit_seconds: Annotated[float, Meta(gt=0)] = 60.0
    """The longest such while; it begins with ``backoff_seconds`` and doubles with each failed trial."""
    answer_bytes: Annotated[int, Meta(ge=1_024)] = 65_536
    """Bytes of an answer that are read; the connection is closed at the next one."""
    poll_seconds: Annotated[float, Meta(gt=0)] = 0.1
    """How often queued deliveries are looked for while nothing else happens."""
    stop_seconds: Annotated[float, Meta(ge=0)] = 5.0
    """How long requests under way may take to finish when Cauce stops."""
    keep_days: Annotated[int, Meta(ge=1)] = 30
    """Days for which delivered ones and their receipts are kept; dead letters stay until replayed."""
    allow_private: bool = False
    """Whether every destination may be at a loopback or private address."""
    folders: tuple[str, ...] = ()
    """Absolute paths of folders outside of the space in which file destinations may put files."""
    file_rows: Annotated[int, Meta(ge=1)] = 100_000
    """Changes in one file; where there are more, several files are written at once."""
    lease_seconds: Annotated[float, Meta(gt=0)] = 30.0
    """Seconds after which another worker takes over from one that died; with several workers only."""
