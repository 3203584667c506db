"""Writes the reference and the schemas into a checkout: ``python -m cauce.app.reference ROOT``."""

import sys
from pathlib import Path

from cauce.app.reference import reference_files

for name, text in reference_files().items():
    file = Path(sys.argv[1]) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
