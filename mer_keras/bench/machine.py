"""The machine that something was measured on; names no host and no path."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from mer_keras import provenance
from mer_keras.errors import UserError
from mer_keras.runs.processes import THREADS

#: waiting processes a core, above which others disturb what is measured
BUSY = 0.3


def describe() -> dict[str, Any]:
    """Return what ``provenance.describe`` does, and ``machine``: processor, cores, memory."""
    return {**provenance.describe(), "machine": machine()}


def describe_apart(backend: str) -> dict[str, Any]:
    """As ``describe``, by a backend, from another process: its import takes memory and talks."""
    code = f"import json; from {__name__} import describe; print(json.dumps(describe()))"
    done = subprocess.run(  # noqa: S603 - this module
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UserError(f"KERAS_BACKEND={backend} can't be used: {said[-1] if said else 'no word'}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def machine() -> dict[str, Any]:
    """Processor, cores that may be used, memory, threads asked for by the environment."""
    asked = {name: os.environ[name] for name in THREADS if name in os.environ}
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "threads": " ".join(f"{k}={v}" for k, v in asked.items())
        or "all cores, each backend's own",
    }


def load() -> float:
    """Processes that ran or waited a core, over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def may_have_gpu() -> bool:
    """Whether there is a sign of a GPU; a backend may still be unable to use it."""
    return bool(shutil.which("nvidia-smi")) or any(Path("/dev").glob("nvidia[0-9]*"))


def _processor() -> str:
    """Its model's name; empty where the system doesn't tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    names = [line.partition(":")[2] for line in text.splitlines() if line.startswith("model name")]
    return " ".join(names[0].split()) if names else ""
