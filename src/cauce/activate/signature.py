"""Signatures: how a destination knows that a request is ours and recent.

The header ``Cauce-Signature: t=SECONDS,v1=HEX`` holds the time of the attempt
in seconds since 1970 and the HMAC-SHA256, in lower-case hexadecimal, of the
bytes ``SECONDS.BODY`` under the destination's secret. To verify: compute it
again over the raw body, compare in constant time, and refuse a time that is
more than a few minutes away. More parts may follow after further commas.
"""

import hmac
from hashlib import sha256

from cauce.vocabulary.moment import SECOND, Moment

HEADER = "Cauce-Signature"


def sign(secret: bytes, body: bytes, at: Moment) -> str:
    """The value of the signature header for a body sent at a moment."""
    seconds = str(at // SECOND)
    digest = hmac.new(secret, seconds.encode() + b"." + body, sha256).hexdigest()
    return f"t={seconds},v1={digest}"
