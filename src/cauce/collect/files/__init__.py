"""The import of files: CSV and JSON Lines, plain or gzipped, as a mapping says.

In come a file and a mapping, out go events to the log, refused lines to
quarantine, and the counts of both. ``import_file`` is the whole way: physical
lines (``stream``) → records (``csv_records``, ``json_records``) → rows with
converted cells (``rows``, ``convert``) → groups (``groups``) → events
(``events``, ``values``) → the log (``delivery``).
"""

from cauce.collect.files.mapping import Mapping, load_mapping, read_mapping
from cauce.collect.files.result import ImportResult, Progress
from cauce.collect.files.service import import_file

__all__ = ["ImportResult", "Mapping", "Progress", "import_file", "load_mapping", "read_mapping"]
