"""The demo's space: made with ``cauce init``, filled with the demo's definitions, run by ``cauce serve``."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

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
POLL_SECONDS = 0.1

API_KEY_FILE = "api.key"
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
        write_keys={
            source: cauce_json("key", "create", "write", source, "--space", str(root))["secret"]
            for source in LIVE_SOURCES
        },
        api_key=made["api_key"],
    )


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
def serving(space: DemoSpace) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``cauce serve`` on the space until the block ends; its output goes to ``serve.log`` there."""
    command = [str(CAUCE), "serve", "--space", str(space.root)]
    with (space.root / "serve.log").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ, start_new_session=True
        )
        try:
            _wait_until_ready(space, process)
            yield process
        finally:
            _stop(process)


def _wait_until_ready(space: DemoSpace, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    waiting = [f"{space.collector}/health", f"{space.api}/api/v1/health"]
    while waiting:
        if process.poll() is not None or time.monotonic() > deadline:
            raise Transient("`cauce serve` does not start.", hint=f"Look at {space.root / 'serve.log'}.")
        waiting = [url for url in waiting if not _answers(url)]
        if waiting:
            time.sleep(POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the processes to finish; end them if they do not within ``STOP_SECONDS``."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
