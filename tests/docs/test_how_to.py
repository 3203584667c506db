"""The how-to pages do what they say: clients send, files are imported, signatures are verified."""

import re
import shutil
from pathlib import Path

import pytest

from cauce.activate.payload import body, person_of
from cauce.activate.signature import sign
from cauce.app.console.language import catalogue
from cauce.vocabulary.event import Position
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import SECOND, Moment, parse_iso
from cauce.vocabulary.profile import ProfileKey
from tests.docs.markdown_blocks import ROOT, Command, blocks, commands
from tests.docs.tutorial_reader import READY, Reader, free_ports

PAGES = ROOT / "docs/how-to"
NODE_MODULES = ROOT / "tests/clients/node/node_modules"


@pytest.fixture
def reader(tmp_path: Path):
    ports = dict(zip(("8765", "8766", "8767", "9000"), free_ports(4), strict=True))
    with Reader(tmp_path, ports) as reader:
        yield reader


def follow(reader: Reader, page: Path, without: str = "") -> None:
    for block in blocks(page):
        if block.file:
            reader.write(block.file, block.text)
        elif block.language == "console":
            for command in commands(block):
                if not (without and command.line.startswith(without)):
                    reader.type(command)


def test_a_page_of_files_is_followed(reader):
    follow(reader, PAGES / "import-files.md")


def test_identity_rules_are_tried_as_the_page_says(reader):
    follow(reader, PAGES / "try-identity-rules.md")


def test_identity_rules_are_tested_as_the_page_says(reader):
    follow(reader, PAGES / "test-identity-rules.md")


def test_people_are_joined_and_parted_as_the_page_says(reader):
    follow(reader, PAGES / "join-and-part-people.md")


def test_identity_is_audited_as_the_page_says(reader):
    follow(reader, PAGES / "audit-identity.md")


def test_why_it_is_one_person_is_asked_as_the_page_says(reader):
    follow(reader, PAGES / "why-one-person.md")


def test_people_are_reviewed_as_the_page_says(reader):
    page = PAGES / "review-people.md"
    follow(reader, page)
    shown = reader.type(Command("curl -s http://127.0.0.1:8767/sign-in", []))
    assert "<h1>Sign in</h1>" in shown
    messages = dict.fromkeys(re.findall(r"\*\*([^*.]+)\*\*", page.read_text()))
    assert len(messages) == 6 and messages.keys() <= catalogue("es").keys()


def test_traits_are_defined_as_the_page_says(reader):
    follow(reader, PAGES / "traits.md")


def test_a_space_is_backed_up_as_the_page_says(reader):
    follow(reader, PAGES / "back-up.md")


def test_refused_input_is_repaired_as_the_page_says(reader):
    reader.type(Command("cauce init shop", []))
    reader.type(Command("cauce serve --space shop", READY))
    follow(reader, PAGES / "quarantine.md")


def test_identity_rules_are_changed_as_the_page_says(reader):
    follow(reader, PAGES / "change-identity-rules.md")


def test_definitions_are_changed_as_the_page_says(reader):
    follow(reader, PAGES / "change-definitions.md")


@pytest.mark.skipif(
    not (NODE_MODULES / "@segment").is_dir() or not shutil.which("node"),
    reason="the Node SDK is not installed: see tests/prepare.sh",
)
def test_events_are_sent_as_the_page_says(reader, tmp_path):
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    reader.type(Command("cauce init shop", []))
    reader.type(Command("cauce serve --space shop", READY))
    follow(reader, PAGES / "send-events.md")


def test_the_verifier_takes_what_is_signed_and_nothing_else():
    source = next(block.text for block in blocks(PAGES / "webhooks.md") if block.file == "verify.py")
    names: dict = {}
    exec(compile(source, "verify.py", "exec"), names)
    genuine, secret, at = names["genuine"], b"open-sesame", Moment(1_700_000_000 * SECOND)
    header = sign(secret, b"{}", at)
    assert genuine(header, b"{}", secret, now=1_700_000_000)
    assert genuine(header + ",v2=more", b"{}", secret, now=1_700_000_299)
    assert not genuine(header, b"{} ", secret, now=1_700_000_000)
    assert not genuine(header, b"{}", b"other", now=1_700_000_000)
    assert not genuine(header, b"{}", secret, now=1_700_000_301)
    assert not genuine("", b"{}", secret)
    assert not genuine("t=1,v1=é", b"{}", secret)


def test_the_payload_on_the_page_is_what_is_sent():
    shown = next(block.text for block in blocks(PAGES / "webhooks.md") if block.language == "json")
    told = decode_json(shown.encode())
    named = (
        ("user_id", told["userId"]),
        ("email", told["context"]["traits"]["email"]),
        ("anonymous_id", told["anonymousId"]),
    )
    change = MembershipChange(
        sequence=1,
        segment=told["properties"]["audience_key"],
        profile=ProfileKey(1),
        profile_id=told["context"]["personas"]["profile_id"],
        entered=True,
        at=parse_iso(told["timestamp"]),
        position=Position(1),
        message_id="m",
        identifiers=tuple(Identifier(*one) for one in named),
    )
    assert decode_json(body(change, "crm", told["messageId"], person_of(change))) == told


def test_the_state_is_derived_anew_as_the_page_says(reader):
    follow(reader, PAGES / "rebuild.md")
