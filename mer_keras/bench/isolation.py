"""A case in a process of its own: it is started, limited in time, and its results are read."""

import contextlib
import importlib.util
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from mer_keras.bench.case import Case, CaseOptions
from mer_keras.bench.machine import may_have_gpu
from mer_keras.bench.measure import Measurement, NotMeasuredError, from_json
from mer_keras.bench.memory import peak_memory

#: Exit code of a process whose case can't run on this machine.
_NOT_MEASURED = 4

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        measurements: empty if the case could not be measured.
        reason: why it could not be measured; else empty.
        failed: whether the case has a fault, rather than the machine a lack.
        seconds: duration of the whole process.
    """

    measurements: tuple[Measurement, ...] = ()
    reason: str = ""
    failed: bool = False
    seconds: float = 0.0


def measure_in_process(case: Case, arguments: Sequence[str], limit: float | None = None) -> Outcome:
    """Measure a case in a new process, and wait for it.

    Args:
        case: what is measured.
        arguments: of ``mer_keras.bench``, for the new process.
        limit: seconds, in place of the case's own.
    """
    started = time.perf_counter()
    missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
    if missing:
        return Outcome(reason=f"{missing[0]} is not installed")
    if case.gpu and not may_have_gpu():
        return Outcome(reason="no GPU")
    with tempfile.TemporaryDirectory(prefix="mer_keras-bench-") as name:
        command = [sys.executable, "-m", "mer_keras.bench", *arguments]
        command += ["--inside", case.name, "--folder", name]
        outcome = _run(command, case, Path(name), case.limit if limit is None else limit)
    return replace(outcome, seconds=time.perf_counter() - started)


def _run(command: Sequence[str], case: Case, folder: Path, limit: float) -> Outcome:
    with (folder / "output").open("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(  # noqa: S603 - The command is this module.
            command,
            env=_environment(case, folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return Outcome(reason=f"over {limit:.0f} s")
        finally:
            # The signal ends the process and all processes that it started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        lines = [line.strip() for line in output if line.strip()]
    if code == 0:
        trees = json.loads(_results_file(folder).read_text(encoding="utf-8"))
        return Outcome(measurements=tuple(map(from_json, trees)))
    last_line = without_paths(lines[-1] if lines else "it printed nothing")
    if code == _NOT_MEASURED:
        return Outcome(reason=last_line)
    if code == -signal.SIGKILL:
        return Outcome(reason="killed, by the system if memory ran out")
    return Outcome(reason=f"failed: {last_line}", failed=True)


def measure_here(case: Case, options: CaseOptions) -> int:
    """Measure a case in this process, write the measurements, and return the exit code."""
    if os.getpgrp() == os.getpid():  # This holds where ``measure_in_process`` started it.
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        measurements = case.measure(options)
    except NotMeasuredError as reason:
        print(reason, file=sys.stderr)
        return _NOT_MEASURED
    peak = peak_memory()
    trees = [
        asdict(replace(m, peak_mib=peak) if m.seconds and m.peak_mib is None else m)
        for m in measurements
    ]
    _results_file(options.folder).write_text(json.dumps(trees), encoding="utf-8")
    return 0


def _end_with(parent: int) -> None:
    """End this process and all that it started when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def call_in_process(
    function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result:
    """Call a module's function in a new process, and return its result."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(function, *args, **kwargs).result()


def without_paths(text: str) -> str:
    """Replace the paths in a text and shorten it, since results are shown to others."""
    return re.sub(r"(?<![\w.])(?:~|\.{0,2})/[\w.@+-]+(?:/[\w.@+-]*)*", "PATH", text)[:300]


def _results_file(folder: Path) -> Path:
    return folder / "measurements.json"


def _environment(case: Case, folder: Path) -> dict[str, str]:
    own = {f"MER_{name.upper()}": str(folder / name) for name in ("data", "cache", "results")}
    return {
        **os.environ,
        **own,
        "MER_CONFIG": str(folder / "config"),
        "KERAS_BACKEND": case.backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
    }
