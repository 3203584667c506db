"""Findings: what the doctor saw, how grave it is, and what to do."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One thing the doctor looked at; ``advice`` is empty where nothing need be done."""

    check: str
    level: Level
    message: str
    advice: str = ""


def fine(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """It works, but something wants attention."""
    return Finding(check, Level.WARNING, message, advice)


def error(check: str, message: str, advice: str) -> Finding:
    """It does not work, or data is at risk."""
    return Finding(check, Level.ERROR, message, advice)
