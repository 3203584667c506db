"""Rebuilding the state from the log: derive in bulk beside the live one, compare, swap.

``derive`` fills a new store, ``shadow`` is the service, ``differences`` and ``rows`` compare.
"""

from cauce.app.rebuild.differences import Differences
from cauce.app.rebuild.shadow import Shadow, find, shadow

__all__ = ["Differences", "Shadow", "find", "shadow"]
