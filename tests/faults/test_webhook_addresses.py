"""Where a webhook may not go, and that it goes where its name says: real sockets, names answered as told."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from cauce.activate.delivery import State
from tests.faults.webhook_receiver import Receiver
from tests.faults.webhook_space import Space, change, destination, until

GETADDRINFO = socket.getaddrinfo


@pytest.fixture
def space(tmp_path):
    space = Space(tmp_path)
    space.queue(change(1))
    yield space
    space.records.close()


@pytest.fixture
def names(monkeypatch):
    """A table of names and the addresses they have; each look-up is counted."""
    table, asked = {}, []

    def look_up(host, port, *given, **more):
        asked.append(host)
        if host not in table:
            return GETADDRINFO(host, port, *given, **more)
        answers = table[host].pop(0) if isinstance(table[host][0], list) else table[host]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in answers
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table, asked


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_an_address_that_is_not_allowed_is_never_connected_to(space, host):
    with Receiver() as receiver:
        space.deliver(destination(receiver.url(host), allow_private=False))
    assert receiver.requests == []
    (one,) = space.all()
    assert one.state is State.DEAD and one.error.startswith("the address is not allowed: ")


def test_a_name_that_points_inside_is_refused(space, names):
    names[0]["hooks.example"] = ["10.0.0.7", "127.0.0.1", "fd00::1"]
    with Receiver() as receiver:
        space.deliver(destination(receiver.url("hooks.example"), allow_private=False))
    assert receiver.requests == [] and space.all()[0].error == "the address is not allowed: private"


def test_link_local_addresses_stay_closed_where_private_ones_are_allowed(space):
    space.deliver(destination("http://169.254.169.254/latest/meta-data", allow_private=True))
    assert space.all()[0].error == "the address is not allowed: link-local"


def test_the_address_that_was_checked_is_the_one_connected_to(space, names):
    """A name server that answers differently the second time is not asked a second time."""
    table, asked = names
    table["rebinding.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    with Receiver() as receiver:
        space.deliver(destination(receiver.url("rebinding.example")))
    assert asked.count("rebinding.example") == 1 and len(receiver.requests) == 1
    assert receiver.requests[0].headers["Host"] == f"rebinding.example:{receiver.port}"


def test_only_the_allowed_addresses_of_a_name_are_tried(space, names):
    names[0]["both.example"] = ["169.254.169.254", "127.0.0.1"]
    with Receiver() as receiver:
        space.deliver(destination(receiver.url("both.example")))
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("host", "error"), [("nowhere.invalid", "gaierror"), ("a" * 64 + ".example", "OSError")]
)
def test_a_name_that_is_not_known_is_tried_again(space, host, error):
    with space.delivering(destination(f"http://{host}/x")):
        until(lambda: len(space.receipts()) >= 2)
    assert space.all()[0].state in (State.RETRYING, State.SENDING)
    assert {receipt.error for receipt in space.receipts()} == {f"cannot connect ({error})"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate for ``hooks.example``, with its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "hooks.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"]
    subprocess.run(
        [*command, *names, "-days", "2", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def server_context(certificate: Path, seen: list[str | None]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, context: seen.append(name)
    return context


def test_tls_keeps_the_name_though_the_address_was_chosen(space, names, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    names[0]["hooks.example"] = ["127.0.0.1"]
    seen: list[str | None] = []
    with Receiver(tls=server_context(certificate, seen)) as receiver:
        space.deliver(destination(receiver.url("hooks.example", "https")))
    assert seen == ["hooks.example"] and len(receiver.requests) == 1
    assert space.states() == {State.DELIVERED}


@pytest.mark.parametrize(("host", "trusted"), [("hooks.example", False), ("other.example", True)])
def test_a_certificate_that_does_not_fit_gets_nothing(space, names, certificate, monkeypatch, host, trusted):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    names[0][host] = ["127.0.0.1"]
    receiver = Receiver(tls=server_context(certificate, []))
    with receiver, space.delivering(destination(receiver.url(host, "https"))):
        until(lambda: len(space.receipts()) >= 1)
    assert receiver.requests == []
    assert space.receipts()[0].error == "cannot connect (SSLCertVerificationError)"
