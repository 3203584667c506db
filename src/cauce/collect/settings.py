"""Settings of the collect stage."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

_HOST = r"([a-z0-9-]+\.)*[a-z0-9-]+(:[0-9]{1,5})?"
Origin = Annotated[str, Meta(pattern=rf"^(\*|https?://(\*\.)?{_HOST})$")]
"""Scheme and host of web pages, in lower case; a host that begins with ``*.`` means all below it."""


@dataclass(frozen=True)
class CollectSettings:
    """What the door accepts over HTTP, and how much may wait there for the disk."""

    max_event_bytes: int = 32 * 1024
    """The longest event, as it was sent."""
    max_batch_bytes: int = 500 * 1024
    """The longest body of a batch call, after decompression."""
    max_batch_events: int = 2_500
    """The most events that one batch call may hold."""
    max_message_id: int = 100
    """The most characters of a message id."""
    max_identifier: int = 500
    """The most characters of a user id, anonymous id, group id or previous id."""
    max_properties: int = 300
    """The most properties or traits of one event, counted at their top level."""
    max_nesting: int = 64
    """How deeply objects and lists of an event may be nested."""
    ahead_seconds: int = 300
    """How far the time of an event may lie after its receipt; a later one is set to that."""
    sample_bytes: int = 4_096
    """How much of a body that is longer than a batch may be is kept in quarantine."""
    group_events: int = 4_000
    """The most events that are made durable at once."""
    waiting_events: int = 40_000
    """The most events that may wait for the disk; beyond that senders are told to come back later."""
    waiting_bytes: int = 64 * 1024 * 1024
    """The most bytes of events that may wait for the disk."""
    retry_seconds: int = 1
    """The wait that is asked of a sender while events cannot be stored (``Retry-After``)."""
    origins: tuple[Origin, ...] = ("*",)
    """The web origins whose pages may send, like https://shop.example, https://*.shop.example; * is any."""
    public_url: Annotated[str, Meta(pattern=r"^(https?://[^/\s]+(/\S*)?)?$")] = ""
    """The URL under which browsers and phones reach the collector; empty: the one that they asked."""
    sdk_folder: str = ""
    """The folder with the files of analytics.js that pages fetch (dist/umd of its package); empty: none."""
    cache_seconds: Annotated[int, Meta(ge=0)] = 300
    """How long browsers, phones and proxies may keep the settings of an SDK, and the script."""
