"""Identity: which identifiers are one person.

In come the identifiers that events carried, with time and source. Out goes, for each
event, the profile it belongs to and the profiles it changed. The answer is a function
of the rules and the set of events alone: their order of arrival changes nothing.
"""

from cauce.identity.rules import Ruleset, default_rules, read_rules
from cauce.identity.simulate import simulate

__all__ = ["Ruleset", "default_rules", "read_rules", "simulate"]
