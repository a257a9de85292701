"""Where data, caches and results live. Resolved when called, never at import."""

import os
from pathlib import Path


def data_roots() -> list[Path]:
    """Folders searched for databases: ``MER_DATA`` (joined by ``os.pathsep``) or ``data``."""
    given = os.environ.get("MER_DATA", "data")
    return [Path(part).expanduser() for part in given.split(os.pathsep) if part]


def cache_root() -> Path:
    """Folder for derived arrays and synthetic databases: ``MER_CACHE`` or the user's cache."""
    given = os.environ.get("MER_CACHE")
    if given:
        return Path(given).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mer_keras"


def registry_path() -> Path:
    """File that lists a user's own databases, in ``MER_CONFIG`` or the user's config folder."""
    given = os.environ.get("MER_CONFIG")
    if given:
        return Path(given).expanduser() / "databases.json"
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "mer_keras" / "databases.json"


def results_root() -> Path:
    """Folder for runs: ``MER_RESULTS`` or ``results``."""
    return Path(os.environ.get("MER_RESULTS", "results")).expanduser()
