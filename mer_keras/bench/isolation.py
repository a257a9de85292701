"""A case in a process of its own: it is started, limited in time, and its results come back."""

import contextlib
import importlib.util
import multiprocessing
import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

from mer_keras.bench.case import Case, CaseOptions
from mer_keras.bench.machine import may_have_gpu
from mer_keras.bench.measure import Measurement, NotMeasuredError
from mer_keras.bench.memory import peak_memory

#: Folders of a case: each is named by a variable ``MER_...``.
_FOLDERS = ("data", "cache", "results", "config")

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        measurements: empty if the case could not be measured.
        reason: why it could not be measured; else empty.
        failed: whether the case has a fault, rather than the machine a lack.
    """

    measurements: tuple[Measurement, ...] = ()
    reason: str = ""
    failed: bool = False


def measure_in_process(
    case: Case, *, quick: bool = False, repeats: int = 3, limit: float | None = None
) -> Outcome:
    """Measure a case in a new process, and wait for it.

    Args:
        case: what is measured.
        quick: see ``CaseOptions``.
        repeats: see ``CaseOptions``.
        limit: seconds, in place of the case's own.
    """
    missing = [
        name for name in (*case.needs, case.backend) if importlib.util.find_spec(name) is None
    ]
    if missing:
        return Outcome(reason=f"{missing[0]} is not installed")
    if case.gpu and not may_have_gpu():
        return Outcome(reason="no GPU")
    limit = case.limit if limit is None else limit
    with tempfile.TemporaryDirectory(prefix="mer_keras-bench-") as name:
        folder = Path(name)
        environment = {f"MER_{part.upper()}": str(folder / part) for part in _FOLDERS}
        environment |= {"KERAS_BACKEND": case.backend}
        environment |= {"TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")}
        options = CaseOptions(quick, folder, repeats)
        try:
            return call_in_process(
                _measure, case.measure, options, environment=environment, limit=limit
            )
        except TimeoutError:
            return Outcome(reason=f"over {limit:.0f} s")
        except NotMeasuredError as error:
            return Outcome(reason=without_paths(str(error)))
        except BrokenProcessPool:
            return Outcome(reason="killed, by the system if memory ran out")
        except Exception as error:  # Whatever a case's fault is, other cases go on.
            return Outcome(reason=f"failed: {without_paths(repr(error))}", failed=True)


def _measure(measure: Callable[[CaseOptions], list[Measurement]], options: CaseOptions) -> Outcome:
    """Measure a case in this process, and add its peak memory where no other is known."""
    measurements = measure(options)
    peak = peak_memory()
    return Outcome(
        tuple(
            replace(m, peak_mib=peak) if m.seconds and m.peak_mib is None else m
            for m in measurements
        )
    )


def call_in_process(
    function: Callable[..., _Result],
    *args: object,
    environment: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> _Result:
    """Call a module's function in a new process that prints nothing, and return its result.

    Args:
        function: what is called.
        args: its arguments.
        environment: variables of the process beside those of this one.
        limit: seconds after which the process is ended, with all that it started.

    Raises:
        TimeoutError: the limit is over.
        BrokenProcessPool: the process was ended by something else.
    """
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})}
    context = multiprocessing.get_context("spawn")
    with (
        patch.dict(os.environ, variables),
        ProcessPoolExecutor(1, context, initializer=_begin_process) as pool,
    ):
        group = pool.submit(os.getpid).result()
        try:
            return pool.submit(function, *args).result(limit)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def _begin_process() -> None:
    """Make this process silent and the first of a group that ends when its parent has ended."""
    os.setsid()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), 1)
        os.dup2(null.fileno(), 2)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def without_paths(text: str) -> str:
    """Replace the paths in a text and shorten it, since results are shown to others."""
    return re.sub(r"(?<![\w.])(?:~|\.{0,2})/[\w.@+-]+(?:/[\w.@+-]*)*", "PATH", text)[:300]
