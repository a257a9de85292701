"""Processes of this machine that share the tasks of a run and its cores."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.reduction import ForkingPickler
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from mer_keras import settings
from mer_keras.errors import UserError
from mer_keras.runs.context import RunContext
from mer_keras.runs.executors import OpenRun, RowCounts
from mer_keras.runs.scratch import scratch_folder
from mer_keras.runs.stopping import interrupts_blocked, stops_held_back
from mer_keras.runs.tasks import Outcome, TaskRunner
from mer_keras.runs.units import Task, Unit
from mer_keras.training.quiet_start import import_keras
from mer_keras.whole_files import remove_draft

#: Seconds that processes have to end in, after an error or Ctrl-C.
ENDING_S = 20
#: The driver of NVIDIA's GPUs has a folder here for each of them.
_GPUS = Path("/proc/driver/nvidia/gpus")
#: Seconds between two looks at what is done.
_PATIENCE = 0.5

_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")

#: The task runner of this worker process; ``_begin`` makes it.
_runner: TaskRunner


class ProcessExecutor:
    """Computes tasks in several processes; a process that dies ends its own task alone."""

    def __init__(self, workers: int, *, isolate: bool = False) -> None:
        """Prepare.

        Args:
            workers: processes at a time. Small networks gain from one process a core. Results
                differ from those of one process by rounding only.
            isolate: give each task a process of its own, which costs some seconds a task.
        """
        self._workers = workers
        self._isolate = isolate

    def execute(self, runs: Sequence[OpenRun]) -> None:
        """See ``Executor.execute``."""
        for run in runs:
            rows = run.pending_rows()
            if not rows:
                continue
            try:
                with self._pool(run.context) as pool:
                    self._compute(pool, run, rows)
            except ProcessExpired as death:
                raise UserError(f"no row can be begun: {_how_it_died(death.exitcode)}") from death
            except BrokenProcessPool as error:
                raise UserError(
                    "worker processes end while they start: run the same command again; if that "
                    "happens each time, the run says why with --workers 1"
                ) from error

    def _compute(self, pool: ProcessPool, run: OpenRun, rows: list[str]) -> None:
        counts = RowCounts(run)
        divisions: set[Future[list[Task]]] = set()
        computations: dict[Future[list[Outcome]], tuple[Task, list[Unit]]] = {}
        while rows or divisions or computations:
            if rows and not divisions:
                # A worker divides the row, so that this process need not build its network. The
                # next row waits behind the tasks of this one, so that workers change rows seldom.
                divisions.add(_schedule(pool, _tasks, rows.pop(0)))
            futures: set[Future[Any]] = {*divisions, *computations}
            finished, _ = wait(futures, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
            run.folder.check_there()
            for division in divisions & finished:
                divisions.remove(division)
                for task in division.result():
                    if pending := run.pending(task):
                        counts.during(pending)
                        computations[_schedule(pool, _compute, task)] = (task, pending)
            for computation in computations.keys() & finished:
                task, pending = computations.pop(computation)
                try:
                    run.store(pending, task, computation.result())
                except ProcessExpired as death:
                    for unit in pending:
                        run.folder.fail(unit, _how_it_died(death.exitcode))
                counts.add(pending)

    @contextlib.contextmanager
    def _pool(self, context: RunContext) -> Iterator[ProcessPool]:
        """Start processes that know the run; they end with this one, however it ends.

        When this process fails or is interrupted, it ends them at once. Ctrl-C in the terminal
        reaches this process alone.
        """
        processes = get_context("spawn")
        number = processes.Value("i", 0)
        threads = max(1, (os.cpu_count() or 1) // self._workers)
        with _as_file(context) as file, _threads_of_workers(threads):
            pool = ProcessPool(
                self._workers,
                max_tasks=1 if self._isolate else 0,
                initializer=_begin,
                initargs=(file, number, self._isolate),
                context=processes,
            )
            try:
                yield pool
                pool.close()
            except BaseException:
                with stops_held_back():
                    pool.stop()
                    # A process that is ended while it starts may never be seen to end.
                    with contextlib.suppress(TimeoutError):
                        pool.join(timeout=ENDING_S)
                raise
            pool.join()


def visible_gpus() -> list[str]:
    """Return the numbers of this machine's GPUs that processes may use, as CUDA writes them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        gpu_count = len(list(_GPUS.iterdir())) if _GPUS.is_dir() else 0
        visible = ",".join(map(str, range(gpu_count)))
    return [gpu for gpu in visible.split(",") if gpu]


def take_gpu(number: int) -> None:
    """Let this process see one GPU of the machine, in turn.

    It must be called before a numeric library starts. Several processes on one GPU each take what
    memory they need, not all there is.

    Args:
        number: the process' number, from 0.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    gpus = visible_gpus()
    if len(gpus) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]


def _schedule(
    pool: ProcessPool, function: Callable[[_Argument], _Result], argument: _Argument
) -> "Future[_Result]":
    """Hand a task to the pool; the first starts its processes, which Ctrl-C must not reach."""
    with interrupts_blocked():
        future: Future[_Result] = pool.schedule(function, args=(argument,))
    return future


@contextlib.contextmanager
def _as_file(context: RunContext) -> Iterator[Path]:
    """Write what processes need to know of a run where only this user can read or change it.

    A process that dies while it is being started would leave a pipe full, and this process waiting
    for ever; so what is large takes another way.

    Raises:
        UserError: the temporary folder can't be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(scratch_folder()) / "context"
            file.write_bytes(ForkingPickler.dumps(context, protocol=5))
        except OSError as error:
            raise UserError(
                "the clips can't be written for the worker processes, into the temporary folder: "
                f"{error.strerror or error}: name another by TMPDIR, or leave out --workers"
            ) from error
        yield file


@contextlib.contextmanager
def _threads_of_workers(number: int) -> Iterator[None]:
    """Let new processes start so many threads: they read it before they import anything."""
    before = {name: os.environ[name] for name in settings.THREADS if name in os.environ}
    os.environ.update(dict.fromkeys(settings.THREADS, str(number)))
    try:
        yield
    finally:
        for name in settings.THREADS:
            del os.environ[name]
        os.environ.update(before)


def _begin(file: Path, number: "Synchronized[int]", alone: bool) -> None:
    """Run first in a new process: read the run, and end with the process that started this one."""
    global _runner
    _be_quiet()
    with number.get_lock():
        take_gpu(number.value)
        number.value += 1
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    threading.Thread(target=_end_with_parent, args=(file,), daemon=True).start()
    context: RunContext = ForkingPickler.loads(file.read_bytes())
    if any(plan.config.network is not None for plan in context.config.plans):
        import_keras()
    _runner = TaskRunner(context, alone=alone)


def _be_quiet() -> None:
    """Drop all that this process prints, its libraries' C++ parts too.

    It would cross the progress bar; what a task raises comes back with its future.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _tasks(row: str) -> list[Task]:
    return _runner.tasks(row)


def _compute(task: Task) -> list[Outcome]:
    return _runner.compute(task)


def _end_with_parent(file: Path) -> None:
    """Leave neither this process nor the file with the clips behind when the parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        remove_draft(file.parent)
        os._exit(1)


def _how_it_died(code: int | None) -> str:
    cause = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return (
        f"its process ended with {cause}; signal 9 is what the system sends when memory runs out: "
        "fewer --workers or a smaller train.batch_size"
    )
