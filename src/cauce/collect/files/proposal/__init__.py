"""Proposals: what an unknown file seems to be, and a mapping for it, with the reasons.

A look at the beginning of the file gives its format and the kinds of its columns;
names and values give their meaning. Nothing is loaded. A proposal is a draft for a
person: what it could not know it says.
"""
