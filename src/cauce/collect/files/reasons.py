"""Why a line of a file is refused, beside the reasons that every input shares (``collect/reasons.py``)."""

from enum import StrEnum


class FileReason(StrEnum):
    """One reason for quarantine that only files have. A code never changes its meaning."""

    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    MALFORMED_CSV = "malformed_csv"
    WRONG_ENCODING = "wrong_encoding"
    LINE_TOO_LARGE = "line_too_large"
    MISSING_VALUE = "missing_value"
    NO_TIME = "no_time"
    NO_ZONE = "no_zone"
    NO_EVENT = "no_event"
    TRUNCATED_FILE = "truncated_file"
