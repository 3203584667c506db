"""Collect: whatever arrives becomes a valid event, or is quarantined with a reason.

In come requests of Segment's HTTP tracking API (``service.py`` is the door, over
``body.py``, ``split.py``, ``judge.py``) and rows of files (``files``). Out go
``Accepted`` and ``Refused``, which ``committer.py`` makes durable in groups.
What no engine could represent is decided here, so that no accepted event can
ever stop one.
"""
