"""Is this machine ready? Versions, devices that really compute, memory, disk, data, folders."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import numpy as np

from mer_keras import settings
from mer_keras.databases.registry import find, known_databases
from mer_keras.errors import MerKerasError
from mer_keras.provenance import device, installed_version, versions

#: Memory and disk space that the quick profile needs, roughly.
MEMORY_GIB, DISK_GIB = 8, 2


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        found: its state.
        problem: what is wrong with it; empty where nothing is.
        remedy: how to mend that.
    """

    name: str
    found: str
    problem: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it JSON-ready."""
        return asdict(self)


def examine(required_device: str = "any") -> list[Check]:
    """Look at everything that a run needs.

    Args:
        required_device: ``any``, or ``gpu`` if a run without one would be of no use.

    Returns:
        All checks; a check with a ``problem`` has its ``remedy``.
    """
    return [_packages(), _device(required_device), _memory(), *_folders(), _data()]


def _packages() -> Check:
    """Compare the installed packages with what this one requires."""
    from packaging.requirements import Requirement

    installed = ", ".join(f"{name} {number}" for name, number in versions().items())
    try:
        requirements = requires("mer_keras") or []
    except PackageNotFoundError:  # It runs from a folder that was copied or put on the path.
        problem = "mer_keras itself is not installed, so that what it requires can't be looked up"
        return Check("packages", installed, problem, _reinstall())
    problems = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None:
            continue  # It belongs to an extra.
        name, expected = requirement.name, requirement.specifier
        try:
            number = installed_version(name)
            if not expected.contains(number, prereleases=True):
                problems.append(f"{name} {number}, expected {expected}")
        except PackageNotFoundError:
            problems.append(f"{name} is not installed")
    return Check("packages", installed, "; ".join(problems), _reinstall() if problems else "")


def _reinstall() -> str:
    """How the packages are installed anew: in a clone, or where a wheel brought this one."""
    return "make setup" if settings.checkout() else "pip install --upgrade mer_keras"


def _device(required: str) -> Check:
    """Compute something on the devices that the backend lists."""
    try:
        import keras

        backend = keras.backend.backend()
        listed = [str(name) for name in keras.distribution.list_devices()]
        gpus = [name for name in listed if "cpu" not in name.lower()]
        ones, identity = np.ones((64, 64), "float32"), np.eye(64, dtype="float32")
        for name in gpus or ["cpu:0"]:
            with keras.device(name):
                product = keras.ops.matmul(ones, identity)
            if not np.allclose(keras.ops.convert_to_numpy(product), 1):
                return Check("devices", name, f"{name} computes wrongly", "update its driver")
        state = f"{device()}; backend {backend}"
    except Exception as error:  # Whatever a driver raises is what the user is to be told.
        problem = f"{type(error).__name__}: {error}"[:300]
        return Check("devices", "none", problem, f"reinstall the backend: {_reinstall()}")
    if required == "gpu" and not gpus:
        install = "make gpu-setup" if settings.checkout() else "pip install 'mer_keras[gpu]'"
        remedy = f"{install}, and check the driver with nvidia-smi"
        return Check("devices", state, "no GPU is used", remedy)
    return Check("devices", state)


def _memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if total >= MEMORY_GIB:
        return Check("memory", f"{total:.1f} GiB")
    return Check(
        "memory",
        f"{total:.1f} GiB",
        f"less than the {MEMORY_GIB} GiB that the quick profile is made for",
        "smaller batches: --set train.batch_size=8",
    )


def _folders() -> Iterator[Check]:
    """Check that the folders of results and of the cache, or their parents, can be written."""
    for name, variable, folder in (
        ("results", "MER_RESULTS", settings.results_root()),
        ("cache", "MER_CACHE", settings.cache_root()),
    ):
        existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
        free = shutil.disk_usage(existing).free / 2**30
        problem, remedy = _unwritable(existing), f"set {variable} to a folder that you may write"
        if not problem and free < DISK_GIB:
            problem = f"less than {DISK_GIB} GiB free"
            remedy = f"set {variable} to another disk, or mer-keras data cache --clear"
        yield Check(name, f"{folder}, {free:.1f} GiB free", problem, remedy if problem else "")


def _unwritable(folder: Path) -> str:
    """Say why a folder can't be written; return an empty text where it can."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"can't be written: {error.strerror}"


def _data() -> Check:
    """Check that the data roots exist, and list the databases in them."""
    absent = [str(root) for root in settings.data_roots() if not root.is_dir()]
    try:
        present = ", ".join(name for name in known_databases() if find(name))
    except MerKerasError as error:
        return Check("databases", "unknown", str(error), "mend or remove the file it names")
    state = present or "none: experiments fall back on drawn faces"
    if absent and "MER_DATA" in os.environ:
        problem = f"MER_DATA names what is no folder: {', '.join(absent)}"
        return Check("databases", state, problem, "set MER_DATA to the folder of the databases")
    return Check("databases", state)
