"""Identity: which identifiers are one person.

In come the identifiers that events carried, with time and source. Out goes, for each
event, the profile it belongs to and the profiles it changed. The answer is a function
of the rules and the set of events alone: their order of arrival changes nothing.
"""
