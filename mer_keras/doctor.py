"""Is this machine ready? Versions, devices that really compute, memory, disk, data, folders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import numpy as np

from mer_keras import settings
from mer_keras.databases.registry import find, known_databases
from mer_keras.errors import MerKerasError
from mer_keras.provenance import device, versions

#: what the quick profile takes, about
MEMORY_GIB, DISK_GIB = 8, 2


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        found: what is there.
        problem: what is wrong; empty where nothing is.
        remedy: how to mend it.
    """

    name: str
    found: str
    problem: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return asdict(self)


def examine(device_wanted: str = "any") -> list[Check]:
    """Look at everything that a run needs.

    Args:
        device_wanted: ``any``, or ``gpu`` if a run without one would be of no use.

    Returns:
        All checks; a check with a ``problem`` has its ``remedy``.
    """
    return [
        _packages(),
        _device(device_wanted),
        _memory(),
        *_folders(),
        *_data(),
    ]


def _packages() -> Check:
    from packaging.requirements import Requirement

    wrong = []
    for text in requires("mer_keras") or ():
        needed = Requirement(text)
        if needed.marker is not None:
            continue  # an extra
        try:
            if not needed.specifier.contains(version(needed.name), prereleases=True):
                wrong.append(f"{needed.name} {version(needed.name)}, expected {needed.specifier}")
        except PackageNotFoundError:
            wrong.append(f"{needed.name} is not installed")
    found = ", ".join(f"{name} {number}" for name, number in versions().items())
    return Check("packages", found, "; ".join(wrong), "make setup" if wrong else "")


def _device(wanted: str) -> Check:
    """Compute something on the devices that the backend lists."""
    name = "devices"
    try:
        import keras

        backend = keras.backend.backend()
        listed = [str(one) for one in keras.distribution.list_devices()]
        gpus = [one for one in listed if "cpu" not in one.lower()]
        ones, eye = np.ones((64, 64), "float32"), np.eye(64, dtype="float32")
        for place in gpus or ["cpu:0"]:
            with keras.device(place):
                product = keras.ops.matmul(ones, eye)
            if not np.allclose(keras.ops.convert_to_numpy(product), 1):
                return Check(name, place, f"{place} computes wrongly", "update its driver")
        found = f"{device()}; backend {backend}"
    except Exception as error:  # whatever a driver throws is what is to be told
        kind = type(error).__name__
        return Check(name, "none", f"{kind}: {error}"[:300], "reinstall the backend: make setup")
    if wanted == "gpu" and not gpus:
        return Check(
            name,
            found,
            "no GPU is used",
            ".venv/bin/pip install -e '.[gpu]', and check the driver with nvidia-smi",
        )
    return Check(name, found)


def _memory() -> Check:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if whole < MEMORY_GIB:
        return Check(
            "memory",
            f"{whole:.1f} GiB",
            f"less than the {MEMORY_GIB} GiB that the quick profile is made for",
            "smaller batches: --set train.batch_size=8",
        )
    return Check("memory", f"{whole:.1f} GiB")


def _folders() -> Iterator[Check]:
    for name, variable, place in (
        ("results", "MER_RESULTS", settings.results_root()),
        ("cache", "MER_CACHE", settings.cache_root()),
    ):
        there = next(p for p in (place, *place.absolute().parents) if p.exists())
        free = shutil.disk_usage(there).free / 2**30
        found = f"{place}, {free:.1f} GiB free"
        problem = _unwritable(there)
        if problem:
            yield Check(name, found, problem, f"set {variable} to a folder that you may write")
        elif free < DISK_GIB:
            yield Check(
                name,
                found,
                f"less than {DISK_GIB} GiB free",
                f"set {variable} to another disk, or mer-keras data cache --clear",
            )
        else:
            yield Check(name, found)


def _unwritable(place: Path) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"can't be written: {error.strerror}"


def _data() -> Iterator[Check]:
    roots = settings.data_roots()
    absent = [str(root) for root in roots if not root.is_dir()]
    try:
        present = [name for name in known_databases() if find(name)]
    except MerKerasError as error:
        yield Check("databases", "unknown", str(error), "mend or remove the file it names")
        return
    found = ", ".join(present) or "none: experiments fall back on drawn faces"
    if absent and "MER_DATA" in os.environ:
        problem = f"MER_DATA names what is no folder: {', '.join(absent)}"
        yield Check("databases", found, problem, "set MER_DATA to the folder of the databases")
    else:
        yield Check("databases", found)
