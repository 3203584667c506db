"""Govern: who may do what, and for what purpose.

In come keys and viewers. Out go the source that a write key names, the viewer that an
API key names, and a refusal of every read that has no scope or no declared purpose.
"""
