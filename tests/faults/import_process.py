"""A process that imports a file: ``python -m tests.faults.import_process SPACE FILE MAPPING``."""

import json
import sys
from pathlib import Path

from cauce.collect.files import import_file, load_mapping
from cauce.collect.settings import CollectSettings
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.moment import now

if __name__ == "__main__":
    space, file, mapping = (Path(word) for word in sys.argv[1:])
    log = SqliteLog(space)
    result = import_file(
        file, load_mapping(mapping), log, clock=now, settings=CollectSettings(group_events=500)
    )
    log.close()
    sys.stdout.write(json.dumps(result.counts()))
