"""Backups: a whole space copied while it is served, checked, and brought back.

A backup is a folder that is a space itself, with a manifest of what lies in it. The
copies are of moments in this order: state, definitions and keys, log. So the log of a
backup holds all that its state was made from, and what the state has not seen yet is
folded when the backup is served.
"""
