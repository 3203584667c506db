"""Logs: one JSON object per line on standard error, without personal data.

Messages name positions, counts, reasons and types of errors; never identifiers,
bodies or the text of foreign exceptions, which may quote what they choked on.
"""

import json
import logging
import os
import sys
from typing import TextIO

from cauce.vocabulary.moment import Moment, to_iso


class JsonLines(logging.Formatter):
    """Formats a record as one line; ``process`` names which process of Cauce wrote it."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        line = {
            "time": to_iso(Moment(int(record.created * 1_000) * 1_000)),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": os.getpid(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["at"] = _places(record)
        return json.dumps(line, ensure_ascii=False)


def _places(record: logging.LogRecord) -> str:
    """Where an exception came from, innermost last; its own text is left out."""
    traceback = record.exc_info[2] if record.exc_info else None
    places = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_qualname}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return " > ".join(places)


def start_logging(process: str, level: str, stream: TextIO | None = None) -> None:
    """Send every log of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "uvicorn.access"):  # they name URLs, which name people
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
