"""A space whose workers were killed while they folded a round is not handed to an older version."""

from pathlib import Path

import pytest

from cauce.app.compose import Composition
from cauce.app.new_space import make_space
from cauce.app.pipeline import ROUND
from cauce.app.upgrade import downgrade, stored_revisions
from cauce.storage.records import progress
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.moment import now

FIRST = "0001"


def test_an_open_round_is_finished_first(tmp_path: Path) -> None:
    composition = Composition(make_space(tmp_path / "space", now=now()).space.root)
    with composition.state.write() as transaction:
        transaction.advance(ROUND, 7)
    before = stored_revisions(composition)
    with pytest.raises(Conflict, match="in the middle of a round"):
        downgrade(composition, FIRST)
    assert stored_revisions(composition)["state"] == before["state"] != FIRST
    with composition.state.write() as transaction:
        transaction.remove(progress, "name", [ROUND])
    assert "state" in [one.store for one in downgrade(composition, FIRST)]
    assert stored_revisions(composition)["state"] == FIRST
