"""The errors of Cauce, in families by what should happen next.

CauceError
├── InvalidInput   the caller sent something wrong: change it and try again
├── NotAllowed     the caller may not do this
├── NotFound       what was asked for does not exist
├── Conflict       the state forbids it now (a lock is held, a version moved on)
├── Unsupported    this engine or version cannot do it
├── BadSettings    a settings or definition file is wrong
└── Transient      a passing fault: trying again later may work
"""


class CauceError(Exception):
    """Something went wrong that a person or a program can act on.

    ``code`` is stable and machine readable, ``hint`` says what to do next.
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(CauceError):
    """The caller sent something wrong."""

    code = "invalid_input"


class NotAllowed(CauceError):
    """The caller may not do this."""

    code = "not_allowed"


class NotFound(CauceError):
    """What was asked for does not exist."""

    code = "not_found"


class Conflict(CauceError):
    """The present state forbids the act."""

    code = "conflict"


class Unsupported(CauceError):
    """This engine or version cannot do it."""

    code = "unsupported"


class BadSettings(CauceError):
    """A settings or definition file is wrong."""

    code = "bad_settings"


class Transient(CauceError):
    """A passing fault: trying again after ``retry_after`` seconds may work."""

    code = "transient"

    def __init__(self, message: str, *, hint: str = "", retry_after: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
