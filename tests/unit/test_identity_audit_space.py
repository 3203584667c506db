"""The audit of a space: who may see values, and rules that read back."""

import asyncio
import json
from time import monotonic

import httpx
import pytest
from typer.testing import CliRunner

from cauce.app.api import create_api
from cauce.app.cli import app
from cauce.app.definitions import load_definitions
from cauce.app.identity_audit import audit_space, write_proposal, yaml_of
from cauce.govern.access import Scope
from cauce.govern.keys import KeyRing, KeyStore
from cauce.identity.audit_anomaly import FEWEST_OWNERS, find_anomaly
from cauce.identity.audit_values import Look, look, mask
from cauce.vocabulary.access import OPERATIONS, Purpose, Viewer
from cauce.vocabulary.errors import Conflict, NotAllowed
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

NOW = Moment(1_780_000_000_000_000)


def identify(number: int, user: str, **traits: str) -> Accepted:
    body = {"type": "identify", "messageId": f"m{number}", "userId": user, "traits": traits}
    return Accepted(
        message_id=f"m{number}",
        time=Moment(NOW + number * DAY // 100),
        call=Call.IDENTIFY,
        name="",
        source="web",
        body=json.dumps(body).encode(),
    )


@pytest.fixture(scope="module")
def audited_space(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("space")
    composition = space(root)
    events = [identify(n, f"u{n}", email=f"person{n}@firm.example") for n in range(60)]
    events += [identify(100 + n, f"u{n}", email="Reception.Desk@firm.example") for n in range(12)]
    events += [identify(200 + n, f"u{n}", email="ventas@firm.example") for n in range(3)]
    composition.log.append(events, [], now=Moment(NOW + 10 * DAY))
    composition = folded(applied(composition, defined(), NOW), Moment(NOW + 10 * DAY))
    yield composition
    closed(composition)


def test_values_are_shown_for_the_purposes_of_the_settings_only(audited_space):
    clear = audit_space(audited_space, purpose=OPERATIONS, viewer=ANALYST)
    assert "reception.desk@firm.example" in yaml_of(clear)
    hidden = audit_space(audited_space, purpose=Purpose("marketing"), viewer=ANALYST)
    shown = {example.value for one in hidden.report.findings for example in one.examples}
    assert "r…@firm.example" in shown
    assert "reception.desk" not in yaml_of(hidden) + str(hidden.report.findings)
    assert hidden.proposal.withheld == 1
    assert "1 values to block are withheld" in yaml_of(hidden)


def test_nobody_audits_without_scope_or_purpose(audited_space):
    with pytest.raises(NotAllowed):
        audit_space(audited_space, purpose=Purpose("gossip"), viewer=ANALYST)
    with pytest.raises(NotAllowed):
        audit_space(audited_space, purpose=OPERATIONS, viewer=Viewer("writer", frozenset({Scope.WRITE})))


def test_the_written_rules_read_back_as_proposed(audited_space, tmp_path):
    audited = audit_space(audited_space, purpose=OPERATIONS, viewer=ANALYST)
    file = tmp_path / "identity" / "person.yaml"
    write_proposal(audited, file)
    found = load_definitions(tmp_path, ("operations",))
    assert found.identities["person"].rules == audited.proposal.rules
    text = file.read_text("utf-8")
    assert text.index("# junk, 12 people touched") < text.index("reception.desk@firm.example")
    assert "(ventas)(\\+.*)?@.*" in text
    write_proposal(audited, file)  # the same again
    file.write_text("name: mine")
    with pytest.raises(Conflict):
        write_proposal(audited, file)
    write_proposal(audited, file, force=True)
    assert file.read_text("utf-8") == text


def test_the_command_says_it_to_people_and_to_programs(audited_space):
    root = str(audited_space.space.root)
    told = CliRunner().invoke(app, ["identity", "audit", "--space", root])
    assert told.exit_code == 0, told.output
    assert "junk email: 12 people touched" in told.output
    document = json.loads(CliRunner().invoke(app, ["identity", "audit", "--space", root, "--json"]).output)
    assert document["masked"] is False
    assert {one["kind"] for one in document["findings"]} >= {"junk", "role"}
    assert document["proposal"]["changes"] == 4


def test_an_empty_space_has_no_findings(tmp_path):
    composition = space(tmp_path)
    composition = folded(applied(composition, defined(), NOW), NOW)
    audited = audit_space(composition, purpose=OPERATIONS, viewer=ANALYST)
    assert audited.report.findings == ()
    assert audited.proposal.changes == 0
    closed(composition)


def test_an_anomaly_is_what_the_distribution_does_not_explain():
    lonely = find_anomaly({1: 1_000, 9: 1})
    assert lonely.threshold == FEWEST_OWNERS
    households = find_anomaly({1: 10_000, 2: 3_000, 3: 900, 4: 270, 5: 81, 6: 24, 7: 7, 8: 2, 9: 1, 60: 1})
    assert households.threshold is not None
    assert 9 < households.threshold < 60
    assert households.expected(60) < 0.01 < households.expected(9)
    assert find_anomaly(dict.fromkeys(range(1, 100), 10)).threshold is None
    assert find_anomaly({}).threshold == FEWEST_OWNERS


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ("prueba@firma.es", "email", Look.PLACEHOLDER),
        ("aaaa@firma.es", "email", Look.PLACEHOLDER),
        ("al@firma.es", "email", Look.ORDINARY),
        ("kontakt+web@firma.de", "email", Look.ROLE),
        ("x@sub.mailinator.com", "email", Look.DISPOSABLE),
        ("+34999999999", "phone", Look.PLACEHOLDER),
        ("+34612345678", "phone", Look.PLACEHOLDER),
        ("+341234567", "phone", Look.PLACEHOLDER),
        ("+34600111222", "phone", Look.ORDINARY),
        ("desconocido", "", Look.PLACEHOLDER),
        ("00000000-0000-0000-0000-000000000000", "", Look.PLACEHOLDER),
        ("12345", "", Look.NUMBER),
        ("7731", "", Look.ORDINARY),
        ("Ane", "", Look.ORDINARY),
    ],
)
def test_a_value_gives_itself_away(value, kind, found):
    assert look(value, email=kind == "email", phone=kind == "phone") is found


def test_masked_values_name_nobody():
    assert mask("ann@example.org") == "a…@example.org"
    assert mask("+34600111222") == "…22"
    assert mask("u7") == "…"


def test_the_api_says_it_to_keys_that_may_read(audited_space):
    key = KeyStore(audited_space.control).issue_api_key("auditor", [Scope.READ], now=NOW).secret
    api = create_api(audited_space, KeyRing(audited_space.control, monotonic), lambda: NOW)

    def get(purpose: str, **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(api)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.get(
                    "/api/v1/identity/audit", params={"purpose": purpose}, headers=headers
                )

        return asyncio.run(ask())

    found = get("marketing", Authorization=f"Bearer {key}")
    assert found.status_code == 200, found.text
    assert found.json()["masked"] is True
    assert "reception.desk" not in found.text
    assert get("operations").status_code == 401
    assert get("gossip", Authorization=f"Bearer {key}").status_code == 403
