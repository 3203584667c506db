"""What identity answers: whom an event belongs to, what it changed, and who somebody is."""

from typing import NamedTuple

from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey, SignatureKey


class Resolution(NamedTuple):
    """What one event meant for identity.

    ``signature`` is None if the event carried no identifier; ``profile``, that
    of its strongest live identifier, is None if it belongs to nobody. ``gone``:
    profiles that existed before and do no longer (merged away or anchored
    anew). ``changed``: profiles, new ones too, whose set of identifiers changed.
    ``counts`` is false for an event that is retracted or that consent does not allow.
    """

    signature: SignatureKey | None
    profile: ProfileKey | None
    gone: tuple[ProfileKey, ...]
    changed: tuple[ProfileKey, ...]
    counts: bool = True


class Described(NamedTuple):
    """A profile in words: its public id, its identifiers strongest first, its signatures ascending."""

    profile_id: str
    identifiers: list[Identifier]
    signatures: list[SignatureKey]


class Link(NamedTuple):
    """Two identifiers that events carried together, and whether that makes them one person.

    ``events`` counts the events of all sources. ``reason`` says why the link is
    not held; it is empty if it is.
    """

    stronger: Identifier
    weaker: Identifier
    held: bool
    reason: str
    sources: tuple[str, ...]
    events: int
    first_time: Moment
    last_time: Moment
