"""Why input is refused: the stable codes that quarantine, metrics and strict answers name."""

from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """One reason for quarantine. A code never changes its meaning."""

    BODY_TOO_LARGE = "body_too_large"
    EVENT_TOO_LARGE = "event_too_large"
    BATCH_TOO_LONG = "batch_too_long"
    BATCH_MISSING = "batch_missing"
    BAD_COMPRESSION = "bad_compression"
    BAD_FORM = "bad_form"
    MALFORMED_JSON = "malformed_json"
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"
    NUL_CHARACTER = "nul_character"
    NESTED_TOO_DEEP = "nested_too_deep"
    NUMBER_NOT_FINITE = "number_not_finite"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_CALL = "unknown_call"
    NO_USER_ANON_ID = "no_user_anon_id"
    NO_EVENT_NAME = "no_event_name"
    NO_GROUP_ID = "no_group_id"
    NO_PREVIOUS_ID = "no_previous_id"
    EMPTY_CONTEXT_GROUP_ID = "empty_context_group_id"
    WRONG_TYPE = "wrong_type"
    IDENTIFIER_TOO_LONG = "identifier_too_long"
    MESSAGE_ID_TOO_LONG = "message_id_too_long"
    MESSAGE_ID_USED = "message_id_used"
    TOO_MANY_PROPERTIES = "too_many_properties"
    BAD_TIMESTAMP = "bad_timestamp"


class Problem(NamedTuple):
    """What is wrong with input: a code, and a sentence without any of its data."""

    reason: Reason
    detail: str
