"""When an event happened, by the server's clock (``field.md`` 2.3)."""

from cauce.vocabulary.moment import Moment, parse_iso

EARLIEST = parse_iso("0001-01-01T00:00:00Z") or Moment(0)
"""No event is earlier: the calendar of most engines begins here."""


def corrected(original: Moment | None, sent: Moment | None, received: Moment, ahead: int) -> Moment:
    """``received − (sent − original)``, at most ``ahead`` microseconds after ``received``.

    The device's clock cancels out of the difference. Without ``sent`` nothing is
    known of that clock and ``original`` stands; without ``original`` the event
    happened when it was received.
    """
    if original is None:
        return received
    time = original if sent is None else Moment(received - (sent - original))
    latest = received + ahead
    return time if time <= latest else Moment(latest)


def historical(
    said: Moment | None, original: Moment | None, sent: Moment | None, received: Moment | None
) -> Moment | None:
    """When an event of a historical batch happened; None if it does not say so.

    ``said`` is its timestamp. Beside ``original``, the caller's own time, somebody
    has corrected it already. Alone it is corrected only if the event tells both when
    it was sent and when it was ``received`` then (``language.md``); the clock of the
    program that moves history says nothing about it.
    """
    if said is not None and original is not None:
        return said
    time = original if said is None else said
    if time is None or sent is None or received is None:
        return time
    return Moment(received - (sent - time))


def parse_timestamp(text: object) -> Moment | None:
    """The moment of an ISO 8601 text; one without zone is in UTC, as SDKs mean it. None if it is none."""
    if type(text) is not str:
        return None
    moment = parse_iso(text)
    return parse_iso(text + "Z") if moment is None else moment
