"""Worker processes that describe rows side by side, and end with the process that started them."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread

import pyarrow as pa

from cauce.storage import garbage


@contextmanager
def pool_of(processes: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes, as long as the context lasts."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    garbage.look_seldom()
    pa.set_cpu_count(1)  # every core has a process already
    Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
