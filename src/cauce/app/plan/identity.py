"""Identity that makes other people: the state is derived anew beside the live one, compared, and swapped."""

from cauce.app.compose import Composition
from cauce.app.in_force import makes_other_people, under_applied
from cauce.app.plan.model import NAMED
from cauce.app.rebuild.differences import Differences
from cauce.app.rebuild.shadow import Shadow, find, shadow
from cauce.storage.stores import Other
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.errors import Conflict, NotFound

BY_REBUILD = (
    "Identity makes other people of the same events, so the state was derived anew beside the live one. "
    "Applying swaps it; all counts compare the two states."
)


def rebuilt_differences(composition: Composition, candidate: Definitions) -> Differences:
    """What a state derived anew under other definitions says otherwise; it is kept for applying."""
    target = composition.with_definitions(candidate, composition.applied + 1)
    return shadow(target).differences(NAMED)


def swap_if_needed(composition: Composition) -> Differences | None:
    """Derive the state anew and swap it, if the applied version makes other people; None if it does not.

    What a plan derived is taken, if it fits.
    """
    current = composition.renewed()
    target = under_applied(current)
    with current.state.read() as reader:
        if not makes_other_people(current, target, reader):
            return None
    return _ready(target).swap()


def _ready(target: Composition) -> Shadow:
    try:
        return find(target, Other.SHADOW)
    except (NotFound, Conflict):
        return shadow(target)
