"""Retractions meet events that stand in the log but could never be folded."""

from cauce.identity.facts import Fact
from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.past import Remembered, Seen
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver
from cauce.identity.revise import Reviser
from cauce.identity.rules import default_rules, read_rules
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.statement import Op

ANN, BOB = Identifier("user_id", "ann"), Identifier("user_id", "bob")


def test_what_was_set_aside_is_retracted_like_what_never_came():
    resolver = Resolver(Graph(Policy(read_rules(default_rules()))), Names("test"))
    resolver.observe((ANN,), time=Moment(1), source="", position=Position(1), id="m1")
    past = Remembered()
    past.add(Seen("m1", Moment(1), ""), frozenset([str(ANN)]))
    past.add(Seen("m2", Moment(2), ""), frozenset([str(ANN), str(BOB)]))
    past.add(Seen("m3", Moment(3), ""), frozenset([str(BOB)]))
    fact = Fact(Position(4), "r1", Moment(4), Op.RETRACT, events=("m2", "m3"))
    assert Reviser(resolver, past).fold(fact).gone == ()
    assert [str(node.key) for node in resolver.graph.nodes.values() if node.group] == [str(ANN)]
    assert resolver.graph.retracted == {"m2", "m3"}
