"""Sharing work among processes, each with its part of the cores."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from typing import Any

#: called with (what is being done, steps done, steps in all)
Progress = Callable[[str, float, float], None]

#: variables by which numeric libraries learn how many threads they may start
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def share_out(
    workers: int,
    work: Callable[..., None],
    job: tuple[Any, ...],
    count_done: Callable[[], tuple[int, int]],
    progress: Progress | None = None,
) -> None:
    """Call ``work(*job, (i, workers))`` in ``workers`` new processes and wait for them.

    Args:
        workers: number of processes.
        work: a module-level function; its results are what it leaves on disk.
        job: its arguments but the last.
        count_done: tells (steps done, steps in all), asked twice a second.
        progress: told what ``count_done`` says.

    Raises:
        Exception: the first that a process raises; the others are stopped.

    The processes end with the one that calls this, however it ends.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (threads,)) as pool:
        futures = [pool.submit(work, *job, (i, workers)) for i in range(workers)]
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            failed = next((f.exception() for f in done if f.exception()), None)
            if failed:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise failed
            if progress:
                progress(f"{workers} processes", *count_done())


def _begin(threads: int) -> None:
    """Run first in a new process, before it imports a numeric library."""
    for name in THREADS:
        os.environ[name] = str(threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no process behind that goes on writing when its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
