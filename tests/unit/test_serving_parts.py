"""The parts of `cauce serve`: the lock that names its holder, the sockets, the log lines."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cauce.app.listening import answers, listen, url_of
from cauce.app.logs import JsonLines
from cauce.app.process_lock import Holder, process_lock, who_holds
from cauce.vocabulary.errors import BadSettings, Conflict


def test_a_lock_is_held_once_and_names_its_holder(tmp_path: Path):
    file = tmp_path / "serve.lock"
    assert who_holds(file) is None
    with process_lock(file, "served") as lock:
        assert who_holds(file) == Holder(pid=os.getpid())
        lock.note(Holder(pid=os.getpid(), collector="http://127.0.0.1:1", api="http://127.0.0.1:2"))
        found = who_holds(file)
        assert found is not None
        assert found.collector == "http://127.0.0.1:1"
        again = process_lock(file, "served")
        with pytest.raises(Conflict, match=f"is served already, by process {os.getpid()}") as refusal:
            again.__enter__()
        assert f"kill {os.getpid()}" in refusal.value.hint
    assert who_holds(file) is None
    with process_lock(file, "served"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path):
    file = tmp_path / "serve.lock"
    holding = (
        "import sys, time; from pathlib import Path; from cauce.app.process_lock import *\n"
        f"with process_lock(Path({str(file)!r}), 'served'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        holder = who_holds(file)
        assert holder is not None
        assert holder.pid == process.pid
        process.kill()
    assert who_holds(file) is None
    with process_lock(file, "served") as lock:
        assert lock.killed is not None
        assert lock.killed.pid == process.pid
    with process_lock(file, "served") as lock:
        assert lock.killed is None  # the last holder ended by itself


def test_a_lock_and_a_port_are_waited_for(tmp_path: Path):
    file = tmp_path / "worker.lock"
    holding = process_lock(file, "folded")
    holding.__enter__()
    listener = listen("api", "127.0.0.1", 0)
    port = listener.getsockname()[1]

    def let_go() -> None:
        listener.close()
        holding.__exit__(None, None, None)

    soon = threading.Timer(0.2, let_go)
    soon.start()
    with process_lock(file, "folded", wait_seconds=20), listen("api", "127.0.0.1", port, wait_seconds=20):
        soon.join()


def test_a_taken_port_is_told_before_anything_starts():
    with listen("collector", "127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(Conflict, match=f"127.0.0.1:{port}: the port is taken") as refusal:
            listen("collector", "127.0.0.1", port)
        assert "CAUCE_COLLECTOR__PORT" in refusal.value.hint


def test_a_host_that_is_not_ours_is_a_wrong_setting():
    with pytest.raises(BadSettings, match="cannot listen"):
        listen("api", "192.0.2.1", 0)
    with pytest.raises(BadSettings, match="no address") as refusal:
        listen("api", "no.such.host.invalid", 0)
    assert "api.host" in refusal.value.hint


def test_an_address_for_all_is_reached_on_this_machine():
    with listen("api", "0.0.0.0", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_nothing_answers_on_a_closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not answers(f"http://127.0.0.1:{free.getsockname()[1]}")


def logged(act) -> dict:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("worker"))
    logger = logging.Logger("cauce.test")
    logger.addHandler(handler)
    act(logger)
    [line] = stream.getvalue().splitlines()
    return json.loads(line)


def test_a_log_line_is_one_json_object():
    line = logged(lambda logger: logger.warning("position %d\nfolded", 7))
    assert line["message"] == "position 7\nfolded"
    assert (line["level"], line["process"], line["pid"]) == ("warning", "worker", os.getpid())
    assert line["time"].endswith("Z")


def test_an_exception_is_told_by_type_and_place_without_what_it_quotes():
    def fail(logger: logging.Logger) -> None:
        try:
            int("ann@example.org")
        except ValueError:
            logger.exception("it failed")

    line = logged(fail)
    assert line["error"] == "ValueError"
    assert "fail:" in line["at"]
    assert "ann@example.org" not in json.dumps(line)
