"""The demo: a generated shop and its 200 people, played into Cauce and scored against the truth.

What comes in: a seed. What goes out: calls for the tracking API, files for the
import, a running space, printed tables, and precision and recall of the merges.
``company`` generates, ``player`` plays, ``scoring`` scores, ``tour`` prints.
"""
