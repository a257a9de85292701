"""Sharing work among processes, each with its part of the cores."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from mer_keras.errors import UserError
from mer_keras.progress import Progress

#: has a folder for each GPU, where there is a driver
_CARDS = Path("/proc/driver/nvidia/gpus")

#: after being told to; nothing that they run takes notice of being told
_SECONDS_TO_END = 10

#: variables by which numeric libraries learn how many threads they may start
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def take_gpu(share: int) -> None:
    """Let this process see one GPU of the machine, in turn; for the first lines of a worker.

    Several processes on one GPU each take what memory they need, not all there is.

    Args:
        share: number of the worker.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        cards = len(list(_CARDS.iterdir())) if _CARDS.is_dir() else 0
        visible = ",".join(map(str, range(cards)))
    gpus = [gpu for gpu in visible.split(",") if gpu]
    if len(gpus) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[share % len(gpus)]


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
        UserError: the system killed a process, which it does when memory runs out.
        Exception: the first that a process raises; the others are stopped.

    The processes end with the one that calls this, however it ends. Ctrl-C reaches it alone.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (threads,)) as pool, _ended_on_error():
        with _deaf_to_interrupts():
            futures = [pool.submit(work, *job, (i, workers)) for i in range(workers)]
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            failed = next((f.exception() for f in done if f.exception()), None)
            if failed:
                if isinstance(failed, BrokenProcessPool):
                    raise UserError(
                        "a worker process was killed, by the system if memory ran out: fewer "
                        "--workers or a smaller train.batch_size; what is finished is kept"
                    ) from failed
                raise failed
            if progress:
                progress(f"{workers} processes", *count_done())


def one_each(
    workers: int,
    work: Callable[..., None],
    job: tuple[Any, ...],
    shares: int,
    on_death: Callable[[int, str], None],
    count_done: Callable[[], tuple[int, int]],
    progress: Progress | None = None,
) -> None:
    """Call ``work(*job, (i, shares))`` for each share in a new process of its own.

    A share whose process dies, however it dies, ends alone.

    Args:
        workers: processes at a time.
        work: see ``share_out``.
        job: see ``share_out``.
        shares: how many.
        on_death: told of a share and how its process ended, if that was not well.
        count_done: see ``share_out``.
        progress: see ``share_out``.
    """
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    waiting = list(range(shares))
    running: dict[Any, int] = {}
    with _ended_on_error():
        while waiting or running:
            while waiting and len(running) < workers:
                share = waiting.pop(0)
                arguments = (threads, work, job, (share, shares))
                process = context.Process(target=_work_alone, args=arguments)
                with _deaf_to_interrupts():
                    process.start()
                running[process] = share
            wait_for([process.sentinel for process in running], timeout=0.5)
            for process in [p for p in running if not p.is_alive()]:
                process.join()
                share, code = running.pop(process), process.exitcode
                if code:
                    how = f"signal {-code}" if code < 0 else f"exit code {code}"
                    on_death(share, f"its process ended with {how}")
            if progress:
                progress(f"{workers} processes, one a fold", *count_done())


@contextlib.contextmanager
def _ended_on_error() -> Iterator[None]:
    """End all processes when this one gives up: nothing waits for work that nobody wants."""
    try:
        yield
    except BaseException:
        with _deaf_to_interrupts():  # a second Ctrl-C, too, finds them ended
            for process in (ended := multiprocessing.active_children()):
                process.terminate()
            for process in ended:
                process.join(_SECONDS_TO_END)
        raise


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that a Ctrl-C in the terminal doesn't reach.

    It goes to all of them at once, and each would print where it was. The process that started
    them ends them instead. What is blocked here is inherited, and delivered here afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would lift the block when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work_alone(
    threads: int, work: Callable[..., None], job: tuple[Any, ...], share: tuple[int, int]
) -> None:
    _begin(threads)
    work(*job, share)


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
