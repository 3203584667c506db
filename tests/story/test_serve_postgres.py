"""A space on PostgreSQL: made, served, asked, and refused where it should be."""

from pathlib import Path

import pytest

from tests.services.postgres import Place
from tests.story.command import cauce, succeed
from tests.story.serving import send, served, until


def test_a_space_on_postgres_takes_events_and_answers(tmp_path: Path, postgres: Place) -> None:
    root = tmp_path / "space"
    made = succeed("init", root, "--json", **postgres.variables).json
    assert not list(root.glob("*.db"))
    with served(root, **postgres.variables) as serving:
        event = {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "a1",
            "traits": {"email": "ana@x.example"},
        }
        assert send(serving.collector, made["write_key"], event).status_code == 200

        def asked() -> bool:
            answer = cauce(
                "profile", "show", "user_id:u1", "--space", root, "--json", "--purpose", "support",
                **postgres.variables,
            )  # fmt: skip
            return answer.code == 0 and "ana@x.example" in answer.out

        assert until(asked, "the profile")
        doctor = cauce("doctor", "--space", root, "--json", **postgres.variables)
        assert '"level":"error"' not in doctor.out, doctor.out
    assert not list(root.glob("*.db"))


def test_two_spaces_do_not_share_a_schema(tmp_path: Path, postgres: Place) -> None:
    succeed("init", tmp_path / "one", **postgres.variables)
    refused = cauce("init", tmp_path / "two", **postgres.variables)
    assert refused.code == 4
    assert "holds a space already" in refused.err
    assert not list((tmp_path / "two").iterdir())


@pytest.mark.parametrize("url", ["postgresql://cauce:hunter2@127.0.0.1:1/none"])
def test_a_server_that_is_not_there_is_told(tmp_path: Path, url: str) -> None:
    refused = cauce("init", tmp_path / "space", CAUCE_STORE__URL=url)
    assert refused.code == 5
    assert "hunter2" not in refused.err + refused.out
    assert "PostgreSQL" in refused.err
    succeed("init", tmp_path / "space")
    shown = succeed("config", "show", "--space", tmp_path / "space", CAUCE_STORE__URL=url)
    assert "hunter2" not in shown.out
