"""A case in a process of its own: started, bounded in time, and what it tells read back."""

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
from typing import Any

from mer_keras.bench.case import Asked, Case
from mer_keras.bench.machine import may_have_gpu
from mer_keras.bench.measure import Measured, NotMeasuredError
from mer_keras.bench.memory import peak_memory

#: the process's end by a reason that it told
_TOLD = 4


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        rows: what was measured; empty if nothing was.
        why_not: why not.
        failed: whether something went wrong that is nobody's machine.
        seconds: it took, with all that is not timed.
    """

    rows: tuple[Measured, ...] = ()
    why_not: str = ""
    failed: bool = False
    seconds: float = 0.0


def measure_apart(case: Case, asked: Sequence[str], limit: float | None = None) -> Outcome:
    """Run a case in a new process and wait for it.

    Args:
        case: which.
        asked: arguments of ``mer_keras.bench`` that it is asked with.
        limit: seconds, in place of the case's own.
    """
    started = time.perf_counter()
    missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
    if missing:
        return Outcome(why_not=f"{missing[0]} is not installed")
    if case.gpu and not may_have_gpu():
        return Outcome(why_not="no GPU")
    bound = case.limit if limit is None else limit
    with tempfile.TemporaryDirectory(prefix="mer_keras-bench-") as name:
        folder = Path(name)
        found = _run(case, [*asked, "--inside", case.name, "--folder", name], folder, bound)
    return replace(found, seconds=time.perf_counter() - started)


def _run(case: Case, arguments: Sequence[str], folder: Path, bound: float) -> Outcome:
    command = [sys.executable, "-m", "mer_keras.bench", *arguments]
    with (folder / "said").open("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(  # noqa: S603 - this module
            command,
            env=_environment(case, folder),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(bound)
        except subprocess.TimeoutExpired:
            return Outcome(why_not=f"over {bound:.0f} s")
        finally:
            # it, and what it started
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        lines = [line.strip() for line in said if line.strip()]
    if code == 0:
        tree = json.loads(_told(folder).read_text(encoding="utf-8"))
        rows = (Measured(**{**row, "seconds": tuple(row["seconds"])}) for row in tree)
        return Outcome(rows=tuple(rows))
    last = without_paths(lines[-1] if lines else "it said nothing")
    if code == _TOLD:
        return Outcome(why_not=last)
    if code == -signal.SIGKILL:
        return Outcome(why_not="killed, by the system if memory ran out")
    return Outcome(why_not=f"failed: {last}", failed=True)


def inside(case: Case, *, quick: bool, folder: Path, repeats: int = 3) -> int:
    """Measure a case in this process, write what was found, and return the exit code."""
    if os.getpgrp() == os.getpid():  # as ``measure_apart`` starts it
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        rows = case.act(Asked(quick, folder, repeats))
    except NotMeasuredError as reason:
        print(reason, file=sys.stderr)
        return _TOLD
    peak = peak_memory()
    whole = [
        replace(row, peak_mib=peak) if row.seconds and row.peak_mib is None else row for row in rows
    ]
    _told(folder).write_text(json.dumps([asdict(row) for row in whole]), encoding="utf-8")
    return 0


def _end_with(starter: int) -> None:
    """End this process and all that it started when the one that started it is gone."""
    while os.getppid() == starter:
        time.sleep(1)
    os.killpg(0, signal.SIGKILL)


def alone(act: Callable[..., Any], *arguments: Any) -> Any:
    """Call a module's function in a new process and return what it returns."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(act, *arguments).result()


def without_paths(text: str) -> str:
    """Return a text without the folders that it names, shortened: results are shown to others."""
    return re.sub(r"(?<![\w.])(?:~|\.{0,2})/[\w.@+-]+(?:/[\w.@+-]*)*", "PATH", text)[:300]


def _told(folder: Path) -> Path:
    return folder / "measured.json"


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
