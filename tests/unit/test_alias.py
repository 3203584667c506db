"""What alias calls say of who is who, by the setting of their source; the same decoded wholly or in part."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.eventlog.columns import carried
from cauce.eventlog.describe import carried_in, decoded_parts
from cauce.eventlog.statistics import normalization_print
from cauce.vocabulary.alias import Alias
from cauce.vocabulary.definitions import Definitions, IdentityDef, SourceDef, SourceKind
from cauce.vocabulary.event import Call, identifiers_of
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Normalization

CALL = {"type": "alias", "userId": "u2", "previousId": "u1"}
EVENT = {"type": "track", "event": "$create_alias", "properties": {"distinct_id": "u2", "alias": "u1"}}


def how(alias: Alias) -> Normalization:
    return DEFAULT_NORMALIZATION._replace(alias=alias)


def named(body: dict[str, Any], alias: Alias, call: Call = Call.ALIAS) -> list[str]:
    return [str(one) for one in identifiers_of(body, call, how(alias))]


def test_an_alias_call_says_nothing_of_its_former_id_unless_its_source_does() -> None:
    assert named(CALL, Alias.IGNORE) == ["user_id:u2"]
    assert named(CALL, Alias.LINK) == ["user_id:u2", "user_id:u1"]
    assert named(CALL, Alias.ANONYMOUS) == ["user_id:u2", "anonymous_id:u1"]


def test_what_the_call_gives_as_its_anonymous_id_is_no_user() -> None:
    assert named({**CALL, "anonymousId": "u1"}, Alias.LINK) == ["user_id:u2", "anonymous_id:u1"]


def test_an_event_create_alias_is_an_alias_where_the_source_says_so() -> None:
    assert named(EVENT, Alias.IGNORE, Call.TRACK) == []
    assert named(EVENT, Alias.LINK, Call.TRACK) == ["user_id:u2", "user_id:u1"]
    assert named({**EVENT, "userId": "u3"}, Alias.ANONYMOUS, Call.TRACK) == ["user_id:u3", "anonymous_id:u1"]
    assert named(EVENT, Alias.LINK, Call.PAGE) == []


@pytest.mark.parametrize("rubbish", [None, True, 1.5, [], {"id": "u1"}, "", "  "])
def test_rubbish_in_the_place_of_an_id_names_nobody(rubbish: Any) -> None:
    assert named({**CALL, "previousId": rubbish}, Alias.LINK) == ["user_id:u2"]
    assert named({**EVENT, "properties": rubbish}, Alias.LINK, Call.TRACK) == []


def test_a_source_defines_what_its_aliases_mean() -> None:
    sources = {
        name: SourceDef(name=name, owner="o", kind=SourceKind.WEB, region="ES", alias=alias)
        for name, alias in (("web", Alias.IGNORE), ("posthog", Alias.ANONYMOUS))
    }
    person = IdentityDef(name="person", owner="o", rules={"identifiers": [{"type": "user_id"}]})
    definitions = Definitions(sources=sources, identities={"person": person})
    assert definitions.normalization("person", "posthog") == Normalization({}, "ES", Alias.ANONYMOUS)
    assert definitions.normalization("person", "web") == Normalization({}, "ES")
    assert definitions.normalization("person", "unknown") == Normalization({})


def test_sealed_identifiers_made_with_another_meaning_are_told_apart() -> None:
    prints = {normalization_print(how(alias)) for alias in Alias}
    assert len(prints) == len(Alias)


VALUES = st.sampled_from(["u1", "u2", "a", 7, 1.5, None, True, ["u1"], {"alias": "u1"}])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "userId": VALUES,
        "anonymousId": VALUES,
        "previousId": VALUES,
        "event": st.sampled_from(["$create_alias", "Order Completed", None, 7]),
        "properties": st.fixed_dictionaries({}, optional={"alias": VALUES, "distinct_id": VALUES}) | VALUES,
        "traits": st.fixed_dictionaries({}, optional={"email": VALUES}) | VALUES,
    },
)


@given(BODIES, st.sampled_from(Call), st.sampled_from(Alias))
def test_identifiers_are_the_same_in_the_stream_and_in_sealed_files(
    body: dict[str, Any], call: Call, alias: Alias
) -> None:
    expected = identifiers_of(body, call, how(alias))
    text = json.dumps(body).encode()
    assert carried(text, call, how(alias)) == expected
    assert carried_in(decoded_parts(text), call, how(alias)) == [str(one) for one in expected]
