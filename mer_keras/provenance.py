"""Where a result comes from: versions, device, state of the code. Names no host and no path."""

import contextlib
import datetime
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

from pydantic import JsonValue

from mer_keras import settings

#: Packages whose versions are recorded, where they are installed.
PACKAGES = ("mer-keras", "keras", "tensorflow", "jax", "torch", "numpy", "scikit-learn", "pandas")

#: The same package under another name: TensorFlow without its GPU kernels.
STANDS_FOR = {"tensorflow": "tensorflow-cpu"}


def describe() -> dict[str, JsonValue]:
    """Return ``created`` (UTC), ``versions``, ``backend``, ``device`` and ``git``."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "created": now.isoformat(timespec="seconds"),
        "versions": {**versions()},
        "backend": backend(),
        "device": device(),
        "git": git_state(),
    }


def backend() -> str:
    """Name of the backend that Keras computes with, or would if it were imported."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def versions() -> dict[str, str]:
    """Versions of Python and of the ``PACKAGES`` that are installed, by name."""
    versions_of = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            versions_of[package] = installed_version(package)
    return versions_of


def installed_version(package: str) -> str:
    """Version of a package, or of the one that stands for it.

    Raises:
        PackageNotFoundError: neither is installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        if package not in STANDS_FOR:
            raise
        return version(STANDS_FOR[package])


def device() -> str:
    """The devices that the backend computes on, such as ``2 CPU cores (x86_64)``."""
    cpu = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = [
            tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
            for gpu in tf.config.list_physical_devices("GPU")
        ]
    elif keras.backend.backend() == "jax":
        import jax

        gpus = [gpu.device_kind for gpu in jax.devices() if gpu.platform == "gpu"]
    else:
        import torch

        gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return ", ".join([*gpus, cpu])


def git_state() -> str:
    """Short commit of the checkout that runs, ``-dirty`` if changed; outside one ``unknown``."""
    root = settings.checkout()
    if root is None or not (root / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        git = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return git.stdout.strip() or "unknown"
