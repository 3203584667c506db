"""Identity rules are tried on events in files."""

from tests.story.command import cauce, succeed

RULES = """{"identifiers": [
  {"type": "user_id", "limit": 1},
  {"type": "email", "limit": 5, "normalize": "email"}
]}"""
EVENTS = """\
{"id": "1", "ts": 1, "ids": {"user_id": "u1", "email": "A@x.org"}}
{"id": "2", "ts": 2, "ids": {"user_id": "u2", "email": "b@x.org"}}
"""


def test_rules_are_simulated(tmp_path):
    rules, events = tmp_path / "rules.json", tmp_path / "events.jsonl"
    rules.write_text(RULES)
    events.write_text(EVENTS)
    simulate = ("identity", "simulate", "--rules", rules, "--events", events)
    assert succeed(*simulate, "--json").json == {
        "user_id:u1": ["email:a@x.org", "user_id:u1"],
        "user_id:u2": ["email:b@x.org", "user_id:u2"],
    }
    assert "  email:a@x.org" in succeed(*simulate).out
    events.write_text(EVENTS + "{\n")
    broken = cauce(*simulate)
    assert broken.code == 2
    assert "events.jsonl:3: malformed JSON" in broken.err
