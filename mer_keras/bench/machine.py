"""The machine that something was measured on, without its name and without paths."""

import os
import shutil
from pathlib import Path

from pydantic import JsonValue

from mer_keras import settings

#: Waiting processes a core, above which they disturb a measurement.
BUSY = 0.3


def machine() -> dict[str, JsonValue]:
    """Processor, cores that may be used, memory, and numbers of threads in the environment."""
    threads = " ".join(
        f"{name}={os.environ[name]}" for name in settings.THREADS if name in os.environ
    )
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "threads": threads or "all cores, each backend's own",
    }


def load() -> float:
    """Processes that ran or waited over the last minute, divided by the number of cores."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def may_have_gpu() -> bool:
    """Whether there is a sign of a GPU; a backend may still be unable to use it."""
    return bool(shutil.which("nvidia-smi")) or any(Path("/dev").glob("nvidia[0-9]*"))


def _processor() -> str:
    """Name of the processor's model; empty where the system doesn't say it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    names = [line.partition(":")[2] for line in text.splitlines() if line.startswith("model name")]
    return " ".join(names[0].split()) if names else ""
