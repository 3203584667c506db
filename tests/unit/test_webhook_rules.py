"""The pure parts of activation: addresses, answers, pace, signatures, secrets."""

import pytest

from cauce.activate.addresses import why_forbidden
from cauce.activate.answers import judge
from cauce.activate.delivery import Outcome
from cauce.activate.destinations import ready
from cauce.activate.pace import Pace
from cauce.activate.signature import sign
from cauce.vocabulary.definitions import WebhookDef
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.moment import SECOND, Moment

ADDRESSES = [
    ("93.184.216.34", None, None),
    ("1.1.1.1", None, None),
    ("172.15.255.255", None, None),
    ("172.32.0.0", None, None),
    ("100.63.255.255", None, None),
    ("100.128.0.0", None, None),
    ("169.253.255.255", None, None),
    ("198.20.0.0", None, None),
    ("223.255.255.255", None, None),
    ("2606:2800:220:1:248:1893:25c8:1946", None, None),
    ("127.0.0.1", "loopback", None),
    ("127.255.255.254", "loopback", None),
    ("::1", "loopback", None),
    ("10.0.0.1", "private", None),
    ("172.16.0.1", "private", None),
    ("172.31.255.255", "private", None),
    ("192.168.1.1", "private", None),
    ("100.64.0.1", "private", None),
    ("100.127.255.255", "private", None),
    ("fd12:3456:789a::1", "private", None),
    ("fc00::", "private", None),
    ("0.0.0.0", "unspecified", "unspecified"),
    ("0.1.2.3", "unspecified", "unspecified"),
    ("::", "unspecified", "unspecified"),
    ("169.254.169.254", "link-local", "link-local"),
    ("fe80::1", "link-local", "link-local"),
    ("fe80::1%eth0", "link-local", "link-local"),
    ("224.0.0.1", "multicast", "multicast"),
    ("239.255.255.255", "multicast", "multicast"),
    ("ff02::1", "multicast", "multicast"),
    ("::ffff:127.0.0.1", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("::ffff:8.8.8.8", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("::127.0.0.1", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("64:ff9b::a00:1", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("64:ff9b:1::1", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("2002:7f00:1::", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("2001:0:7f00:1::", "IPv4 inside IPv6", "IPv4 inside IPv6"),
    ("192.0.0.8", "reserved", "reserved"),
    ("192.0.2.1", "reserved", "reserved"),
    ("192.88.99.1", "reserved", "reserved"),
    ("198.18.0.1", "reserved", "reserved"),
    ("198.19.255.255", "reserved", "reserved"),
    ("198.51.100.7", "reserved", "reserved"),
    ("203.0.113.9", "reserved", "reserved"),
    ("240.0.0.1", "reserved", "reserved"),
    ("255.255.255.255", "reserved", "reserved"),
    ("2001:10::1", "reserved", "reserved"),
    ("2001:db8::1", "reserved", "reserved"),
    ("3fff::1", "reserved", "reserved"),
    ("100::1", "reserved", "reserved"),
    ("5f00::1", "reserved", "reserved"),
    ("fec0::1", "reserved", "reserved"),
    ("4000::1", "reserved", "reserved"),
    ("localhost", "malformed", "malformed"),
    ("127.1", "malformed", "malformed"),
    ("", "malformed", "malformed"),
]


@pytest.mark.parametrize(("address", "strictly", "privately"), ADDRESSES)
def test_addresses(address, strictly, privately):
    assert why_forbidden(address, allow_private=False) == strictly
    assert why_forbidden(address, allow_private=True) == privately


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204, 226, 299), Outcome.DELIVERED),
        ((408, 409, 425, 429, 500, 501, 502, 503, 504, 599), Outcome.FAILED),
        (
            (101, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499),
            Outcome.REFUSED,
        ),
    ],
)
def test_answers(statuses, outcome):
    for status in statuses:
        answer = judge(status, "5")
        assert (answer.outcome, answer.status) == (outcome, status)
        assert (answer.error == "") == (outcome is Outcome.DELIVERED)
        assert answer.retry_after == ("5" if outcome is Outcome.FAILED else "")


def test_the_signature_is_that_of_openssl():
    """``printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec``."""
    digest = "8ad37ba156048ae0e0a5533c75cdf26fee88b07f93cb57ee4c80adb053012032"
    moment = Moment(1_700_000_000 * SECOND + 999_999)
    assert sign(b"whsec", b'{"a":1}', moment) == f"t=1700000000,v1={digest}"


@pytest.mark.parametrize("rate", [1, 7, 50, 900, 5_000])
@pytest.mark.parametrize("step", [0.0011, 0.004, 0.049])
def test_pace_keeps_the_rate_within_two_percent_however_late_it_is_asked(rate, step):
    pace, now, begun = Pace(rate, 100.0), 100.0, []
    while now < 110.0:
        free = pace.available(now)
        pace.take(free)
        begun += [now] * free
        now += step
    assert begun[0] == 100.0
    for second in (100.0, 100.5, 102.0, 104.9):
        assert sum(second <= at < second + 5 for at in begun) <= rate * 5 * 1.016 + 1
    assert rate * 10 * 0.98 - 1 <= len(begun) <= rate * 10 * 1.008 + 1


def test_after_a_pause_no_more_than_eight_hundredths_of_a_second_begin_at_once():
    pace = Pace(200, 0.0)
    assert pace.available(0.0) == 1 and pace.available(60.0) == 17


def test_pace_says_how_long_to_wait():
    pace = Pace(2, 0.0)
    assert pace.pause(0.0) == 0.0
    pace.take(1)
    assert pace.pause(0.0) == pytest.approx(0.5) and pace.available(0.49) == 0 and pace.available(0.51) == 1
    pace.hold(60.0)
    assert pace.available(59.0) == 0 and pace.pause(59.0) == pytest.approx(1.0) and pace.available(60.0) == 1
    pace.hold(10.0)
    assert pace.available(60.0) == 1


def definition(**given):
    known = {
        "name": "crm",
        "owner": "o",
        "url": "https://crm.example.com/in",
    }
    return WebhookDef(**(known | {"secret": "env:CRM_SECRET"} | given))


def test_secrets_come_from_the_environment_or_a_file(tmp_path):
    (tmp_path / "secret.txt").write_text("from a file\n")
    ones = [definition(), definition(name="ads", secret="file:secret.txt")]
    crm, ads = ready(ones, environment={"CRM_SECRET": "from outside"}, folder=tmp_path)
    assert (crm.secret.read(), ads.secret.read()) == (b"from outside", b"from a file")
    assert "from outside" not in repr(crm)
    assert (crm.rate, crm.timeout, crm.allow_private) == (50, 10.0, False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Set the environment variable CRM_SECRET"),
        ({"secret": "env:EMPTY"}, "Set the environment variable EMPTY"),
        ({"secret": "file:nowhere.txt"}, "into the file nowhere.txt"),
        ({"secret": "file:empty.txt"}, "into the file empty.txt"),
        ({"secret": "file:."}, "into the file ."),
        ({"url": "ftp://crm.example.com/"}, "https://host/path"),
        ({"url": "https:///path"}, "https://host/path"),
        ({"url": "https://crm.example.com:99999/"}, "https://host/path"),
        ({"url": "https://me:hunter2@crm.example.com/"}, "Take them out"),
    ],
)
def test_a_destination_that_cannot_be_signed_for_or_called_is_an_error_at_start(tmp_path, given, says):
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(BadSettings, match="crm") as raised:
        ready([definition(**given)], environment={"EMPTY": " "}, folder=tmp_path)
    assert says in raised.value.hint and "hunter2" not in str(raised.value)
