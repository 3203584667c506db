"""Exit codes: what the shell and the supervisor see of an error."""

from cauce.vocabulary.errors import (
    BadSettings,
    CauceError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    Transient,
    Unsupported,
)

EXIT_CODES: dict[type[CauceError], int] = {
    InvalidInput: 2,
    BadSettings: 2,
    NotFound: 3,
    Conflict: 4,
    Transient: 5,
    NotAllowed: 6,
    Unsupported: 7,
}
"""Family → exit code; 0 is success, 1 any other failure."""

FAILURE = 1

HOPELESS = frozenset({2, 3, 4, 6, 7})
"""Codes of what somebody must put right first: trying again ends the same way."""


def exit_code(error: CauceError) -> int:
    """The exit code of an error's family."""
    return next((code for family, code in EXIT_CODES.items() if isinstance(error, family)), FAILURE)
