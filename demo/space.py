"""The demo's space: made with ``cauce init``, filled with the demo's definitions, run by ``cauce serve``."""

import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cauce.vocabulary.errors import CauceError, Conflict, Transient
from demo.chronicle import LIVE_SOURCES
from demo.simulation import DEFINITIONS

CAUCE = Path(sys.executable).with_name("cauce")
"""The command of the same installation as this Python."""

MARK = ".cauce-demo"
"""A file that says that a folder was made by the demo and may be replaced by it."""

COLLECTOR_PORT, API_PORT, RECEIVER_PORT = 8765, 8766, 8767

READY_SECONDS = 60.0
STOP_SECONDS = 30.0

API_KEY_FILE = "api.key"
SERVE_LOG = "serve.log"
_DEFINED_URL = f"http://127.0.0.1:{RECEIVER_PORT}"


class DemoSpace(NamedTuple):
    """A space that is ready to be served; ``write_keys`` by source."""

    root: Path
    collector: str
    api: str
    write_keys: dict[str, str]
    api_key: str


def free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, otherwise a port that is free now."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise Transient("No free port on 127.0.0.1.", hint="End some programs and try again.")


def make_space(root: Path, *, receiver: str, secret: str) -> DemoSpace:
    """Make a fresh space in ``root``, which tells ``receiver`` about segments.

    A space of an earlier demo is replaced; any other folder that is not empty
    is left alone: ``Conflict``.
    """
    _clear(root)
    made = cauce_json("init", str(root))
    (root / MARK).write_text("Made by the demo, which replaces this folder when it runs again.\n")
    collector, api = free_port(COLLECTOR_PORT), free_port(API_PORT)
    (root / "cauce.yaml").write_text(
        f"# The demo's space.\ncollector:\n  port: {collector}\napi:\n  port: {api}\n", encoding="utf-8"
    )
    _copy_definitions(root, receiver)
    _keep_secret(root / "secrets" / "loyalty", secret)
    _keep_secret(root / API_KEY_FILE, made["api_key"])
    run_cauce(["definitions", "check", "--space", str(root)])
    return DemoSpace(
        root=root,
        collector=f"http://127.0.0.1:{collector}",
        api=f"http://127.0.0.1:{api}",
        write_keys=_write_keys(root),
        api_key=made["api_key"],
    )


def _write_keys(root: Path) -> dict[str, str]:
    """A write key for each live source; the commands run side by side because each takes a while to start."""

    def create(source: str) -> str:
        issued = cauce_json("key", "create", "write", source, "--space", str(root))
        return str(issued["secret"])

    with ThreadPoolExecutor() as pool:
        return dict(zip(LIVE_SOURCES, pool.map(create, LIVE_SOURCES), strict=True))


def new_secret() -> str:
    """A signing secret for the webhook."""
    return secrets.token_urlsafe(32)


def _clear(root: Path) -> None:
    if not root.exists():
        return
    if (root / MARK).is_file():
        shutil.rmtree(root)
    elif not root.is_dir() or any(root.iterdir()):
        raise Conflict(
            f"{root} is not empty, and no demo made it.", hint="Name another folder with --space DIR."
        )


def _copy_definitions(root: Path, receiver: str) -> None:
    target = root / "definitions"
    shutil.rmtree(target)
    for path in sorted(DEFINITIONS.rglob("*.yaml")):
        copy = target / path.relative_to(DEFINITIONS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8").replace(_DEFINED_URL, receiver), encoding="utf-8")


def _keep_secret(path: Path, secret: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret, encoding="utf-8")


def run_cauce(arguments: Sequence[str]) -> str:
    """Run a ``cauce`` command to its end; its standard output. Raises ``CauceError`` if it fails."""
    done = subprocess.run([CAUCE, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CauceError(
            f"`cauce {' '.join(arguments)}` ended with {done.returncode}.",
            hint=(done.stderr or done.stdout).strip(),
        )
    return done.stdout


def cauce_json(*arguments: str) -> Any:
    """Run a ``cauce`` command with ``--json`` and decode what it prints."""
    return json.loads(run_cauce([*arguments, "--json"]))


@contextmanager
def serving(space: DemoSpace) -> Iterator[None]:
    """Run ``cauce serve`` on the space until the block ends; its log goes to ``serve.log`` there.

    Raises ``Transient`` if it does not become ready.
    """
    log = space.root / SERVE_LOG
    command = [str(CAUCE), "serve", "--space", str(space.root), "--json"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, start_new_session=True)
        try:
            if not _said_ready(process):
                raise Transient("`cauce serve` does not start.", hint=f"Look at {log}.")
            yield
        finally:
            _stop(process)


def _said_ready(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the process says within ``READY_SECONDS`` that everything answers."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    return bool(readable) and b'"ready"' in process.stdout.readline()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask the processes to finish; end them if they do not within ``STOP_SECONDS``."""
    with process:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
