"""Segments: groups of people defined by rules, followed as events arrive.

In come people as rules see them and the moment to look at. Out go memberships,
their changes, and timers for verdicts that change as time passes.
"""
