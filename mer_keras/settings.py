"""Where data, caches and results live, and which layers are built: read when called."""

import os
from pathlib import Path


def data_roots() -> list[Path]:
    """Folders searched for databases: ``MER_DATA`` (joined by ``os.pathsep``) or ``data``."""
    folders = os.environ.get("MER_DATA", "data").split(os.pathsep)
    return [Path(folder).expanduser() for folder in folders if folder]


def cache_root() -> Path:
    """Folder for derived arrays and synthetic databases: ``MER_CACHE`` or the user's cache."""
    folder = os.environ.get("MER_CACHE")
    if folder:
        return Path(folder).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mer_keras"


def registry_path() -> Path:
    """File that lists a user's own databases, in ``MER_CONFIG`` or the user's config folder."""
    folder = os.environ.get("MER_CONFIG")
    if folder:
        return Path(folder).expanduser() / "databases.json"
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "mer_keras" / "databases.json"


def results_root() -> Path:
    """Folder for runs: ``MER_RESULTS`` or ``results``."""
    return Path(os.environ.get("MER_RESULTS", "results")).expanduser()


def layer_form() -> str | None:
    """Form of the layers that networks are built of, ``plain`` or ``fast``: ``MER_LAYERS``."""
    return os.environ.get("MER_LAYERS")
