"""Run the test suites one after another, and say what each took."""

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

_NO_TESTS = 5


def main() -> int:
    """Run every suite named in CAUCE_SUITES; 1 if any failed."""
    root = Path(__file__).parent
    failed, times = [], []
    for suite in os.environ["CAUCE_SUITES"].split():
        print(f"— {suite}", flush=True)
        started = monotonic()
        code = subprocess.run(
            [sys.executable, "-m", "pytest", root / suite, "-m", "not soak"], check=False
        ).returncode
        times.append(f"{suite} {monotonic() - started:.0f} s")
        if code == _NO_TESTS:
            print(f"{suite}: no test was found", flush=True)
        if code != 0:
            failed.append(suite)
    print(f"Suites: {', '.join(times)}.")
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
