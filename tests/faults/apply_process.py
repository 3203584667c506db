"""A process that applies the folder of a space and brings its state to it: ``python -m`` it, then kill it."""

import sys
from pathlib import Path

from cauce.app.applying import apply, take_in
from cauce.app.compose import Composition
from cauce.govern.access import Scope
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.moment import now

if __name__ == "__main__":
    composition = Composition(Path(sys.argv[1]))
    print("begun", flush=True)
    viewer = Viewer("killed", frozenset(Scope))
    version = apply(composition, composition.folder_definitions(), at=None, now=now(), viewer=viewer)
    take_in(composition, version.number if version else 0, now, wait_seconds=0)
    print("done", flush=True)
