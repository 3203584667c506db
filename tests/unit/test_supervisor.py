"""The supervisor with real processes: small programs in place of collector, worker and API."""

import os
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from cauce.app.supervisor import Patience, Supervisor, Task

DEADLINE = 20.0
PATIENCE = Patience(ready=10.0, stop=5.0, restart=0.01, restart_limit=0.05)


@pytest.fixture
def program(tmp_path: Path, monkeypatch):
    """Write a program and give the task that runs it; it is ready once it made the file ``ready``."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def program(name: str, text: str) -> Task:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        ready = tmp_path / f"{name}.ready"
        return Task(name, name, [str(ready)], [], lambda _: ready.exists())

    return program


FOREVER = """
    import pathlib, sys, time
    pathlib.Path(sys.argv[1]).write_text("")
    while True:
        time.sleep(0.01)
"""


def when(condition, act) -> None:
    """Do something on another thread once a condition holds."""

    def watch() -> None:
        end = time.monotonic() + DEADLINE
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        act()

    threading.Thread(target=watch, daemon=True).start()


def stop_by(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_a_signal_and_leaves_the_handlers_as_they_were(program, number):
    before = signal.getsignal(number)
    told = []
    supervisor = Supervisor([program("one", FOREVER), program("two", FOREVER)], PATIENCE)
    code = supervisor.run(lambda: told.append(1) or stop_by(number))
    assert (code, told) == (0, [1])
    assert signal.getsignal(number) is before


def test_a_child_that_ends_is_started_again(program, tmp_path):
    counting = """
        import pathlib, sys, time
        starts = pathlib.Path("starts")
        starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
        pathlib.Path(sys.argv[1]).write_text("")
        sys.exit(5) if len(starts.read_text()) < 4 else time.sleep(60)
    """
    starts = tmp_path / "starts"
    when(lambda: starts.exists() and starts.read_text() == "xxxx", lambda: stop_by(signal.SIGTERM))
    assert Supervisor([program("counting", counting)], PATIENCE).run(lambda: None) == 0
    assert starts.read_text() == "xxxx"


def test_a_child_that_cannot_start_ends_all_with_its_code(program, tmp_path):
    children = [program("fine", FOREVER), program("wrong", "import sys; sys.exit(2)")]
    assert Supervisor(children, PATIENCE).run(lambda: pytest.fail("never ready")) == 2


def test_a_child_that_is_never_ready_ends_all(program):
    patience = PATIENCE._replace(ready=0.3)
    silent = program("silent", "import time; time.sleep(60)")
    assert Supervisor([silent], patience).run(lambda: pytest.fail("never ready")) == 1


def test_a_child_that_keeps_failing_ends_all_with_its_code(program):
    patience = PATIENCE._replace(ready=0.5)
    failing = program("failing", "import sys; sys.exit(5)")
    assert Supervisor([failing], patience).run(lambda: pytest.fail("never ready")) == 5


def test_a_child_that_does_not_stop_is_ended_by_force(program):
    stubborn = """
        import pathlib, signal, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path(sys.argv[1]).write_text("")
        while True:
            time.sleep(0.01)
    """
    patience = PATIENCE._replace(stop=0.2)
    started = time.monotonic()
    assert Supervisor([program("stubborn", stubborn)], patience).run(lambda: stop_by(signal.SIGTERM)) == 0
    assert time.monotonic() - started < DEADLINE


def test_a_child_sees_the_end_of_its_lifeline(program, tmp_path):
    """The child of a supervisor that is killed reads the end of its standard input."""
    clinging = """
        import os, pathlib, sys
        pathlib.Path(sys.argv[1]).write_text("")
        os.read(0, 1)
        pathlib.Path("let go").write_text("")
    """
    program("clinging", clinging)
    supervising = tmp_path / "supervising.py"
    supervising.write_text(
        "from pathlib import Path\n"
        "from cauce.app.supervisor import *\n"
        "ready = Path('clinging.ready')\n"
        "task = Task('clinging', 'clinging', [str(ready)], [], lambda _: ready.exists())\n"
        f"Supervisor([task], Patience(*{tuple(PATIENCE)})).run(lambda: Path('all ready').write_text(''))\n"
    )
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, str(supervising)])
    wait_for(tmp_path / "all ready")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(tmp_path / "let go")


def wait_for(file: Path) -> None:
    end = time.monotonic() + DEADLINE
    while not file.exists():
        assert time.monotonic() < end, f"{file.name} does not come"
        time.sleep(0.01)
