"""Profile ids: the names that a person had over time, by which other systems were told of her."""

from cauce.app.compose import Composition
from cauce.app.profile_view import nobody, read_identifier
from cauce.vocabulary.access import Purpose, Viewer


def every_profile_id(composition: Composition, text: str, *, purpose: Purpose, viewer: Viewer) -> list[str]:
    """Every id that the profile with the identifier ``TYPE:VALUE`` may ever have had, the present one first.

    Raises ``NotFound`` if nobody has the identifier, ``NotAllowed`` if the viewer
    may not read for this purpose.
    """
    composition.access.require(viewer, "read", purpose)
    identifier = read_identifier(composition, text)
    with composition.state.read() as reader:
        key = composition.identity.find(reader, identifier)
        if key is None:
            raise nobody(identifier)
        found = composition.identity.describe(reader, [key])[key]
    return [found.profile_id, *composition.identity.ids_anchored_by(found.identifiers)]
