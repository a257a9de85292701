"""Where data, caches, results and experiments live, and which layers are built."""

import os
from pathlib import Path

#: The package as it is imported: in a clone, or among the installed packages.
_PACKAGE = Path(__file__).parent
#: Variables by which numeric libraries learn how many threads they may start.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


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


def checkout() -> Path | None:
    """Folder of the clone that this package lies in; None where a wheel brought it.

    A wheel has a copy of the clone's ``experiments`` within the package (see ``setup.py``).
    """
    return None if (_PACKAGE / "experiments").is_dir() else _PACKAGE.parent


def experiment_roots() -> list[Path]:
    """Folders of experiments: that of the working folder, then the one that is shipped."""
    return [Path("experiments"), (checkout() or _PACKAGE) / "experiments"]


def layer_form() -> str | None:
    """Form of the layers that networks are built of, ``plain`` or ``fast``: ``MER_LAYERS``."""
    return os.environ.get("MER_LAYERS")
