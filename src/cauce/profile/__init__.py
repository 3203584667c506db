"""Profiles: what is known of one person, and from whom.

In come events with the signature that identity gives them. Out go golden records,
each value with its source, event and time, and timelines that rules are evaluated on.
State is kept per signature, so merging and splitting people moves no data.
"""
