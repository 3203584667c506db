"""Access: the one door before every read of personal data.

A read is allowed if the viewer has the scope and the purpose is one that the
space declares. Consent, roles, labels and the audit trail belong here too.
"""

from collections.abc import Iterable
from enum import StrEnum

from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput, NotAllowed
from cauce.vocabulary.nearest import did_you_mean


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    WRITE = "write"
    DEFINE = "define"


def check_scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes by name; raises ``InvalidInput`` on an unknown one or none at all."""
    names = list(scopes)
    for name in names:
        if name not in list(Scope):
            raise InvalidInput(f"There is no scope {name}.", hint=did_you_mean(name, Scope))
    if not names:
        raise InvalidInput("An API key needs a scope.", hint=f"Give one of: {', '.join(Scope)}.")
    return frozenset(map(Scope, names))


class Access:
    """Decides over reads; ``purposes`` are those that the settings declare."""

    def __init__(self, purposes: Iterable[str]) -> None:
        self._purposes = tuple(purposes)

    def require(self, viewer: Viewer, scope: str, purpose: Purpose) -> None:
        """Raise ``NotAllowed`` unless the viewer has the scope and the purpose is declared."""
        if scope not in viewer.scopes:
            raise NotAllowed(
                f"{viewer.name} lacks the scope {scope}.",
                hint=f"Use a key that has it: `cauce key create api NAME --scope {scope}`.",
            )
        if purpose not in self._purposes:
            raise NotAllowed(
                "The purpose is not declared." if not purpose else f"The purpose {purpose} is not declared.",
                hint=did_you_mean(purpose, self._purposes) + " Purposes are declared in cauce.yaml.",
            )
