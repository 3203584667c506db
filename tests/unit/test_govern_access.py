import pytest

from cauce.govern.access import Access, Scope, check_scopes
from cauce.vocabulary.access import OPERATIONS, SYSTEM, Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput, NotAllowed

ACCESS = Access(["operations", "support", "marketing"])


def test_a_viewer_with_the_scope_reads_for_a_declared_purpose():
    ACCESS.require(SYSTEM, Scope.READ, OPERATIONS)


def test_a_viewer_without_the_scope_is_refused_with_the_way_to_get_it():
    writer = Viewer("loader", frozenset({"write"}))
    with pytest.raises(NotAllowed, match="loader lacks the scope read") as refusal:
        ACCESS.require(writer, Scope.READ, OPERATIONS)
    assert "--scope read" in refusal.value.hint


def test_an_undeclared_purpose_is_refused_with_the_nearest_name():
    with pytest.raises(NotAllowed, match="purpose marketting is not declared") as refusal:
        ACCESS.require(SYSTEM, Scope.READ, Purpose("marketting"))
    assert "Did you mean marketing?" in refusal.value.hint


def test_an_empty_purpose_is_refused():
    with pytest.raises(NotAllowed, match="not declared"):
        ACCESS.require(SYSTEM, Scope.READ, Purpose(""))


def test_scopes_are_checked_by_name():
    assert check_scopes(["write", "read", "read"]) == {Scope.READ, Scope.WRITE}
    with pytest.raises(InvalidInput, match="no scope raed") as refusal:
        check_scopes(["raed"])
    assert "read" in refusal.value.hint
    with pytest.raises(InvalidInput, match="needs a scope"):
        check_scopes([])
