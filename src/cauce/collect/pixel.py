"""Events in the address of a picture, for e-mails and pages without scripts.

``GET /v1/pixel/track?data=BASE64``: the event as JSON in base64, of the usual or
the URL-safe alphabet, with or without padding. Whoever shows the picture cannot
read an answer and must see no broken image, so the answer is a picture always.
"""

import base64

from cauce.collect.answers import NO_STORE, TOO_MANY, Answer, answer
from cauce.collect.service import OK, Request
from cauce.vocabulary.event import Call
from cauce.vocabulary.moment import Moment

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

_FORM = b"application/x-www-form-urlencoded"
_PICTURE = (b"content-type", b"image/gif")
_RETRY_AFTER = b"retry-after"


def pixel_request(call: Call, authorization: bytes, query: bytes, received: Moment) -> Request:
    """The request for a picture as the door reads it: a query is a form."""
    return Request(call, authorization, _FORM, query, received)


def as_picture(reply: Answer) -> Answer:
    """The picture in place of an answer; its status is 200 unless nothing could be stored.

    A relay that sees the status of a passing fault may fetch the picture again.
    """
    if reply.status < TOO_MANY:
        return PICTURE
    wait = (one for one in reply.headers if one[0] == _RETRY_AFTER)
    return answer(reply.status, _GIF, _PICTURE, NO_STORE, *wait)


PICTURE = answer(OK, _GIF, _PICTURE, NO_STORE)
