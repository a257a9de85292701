"""Where data, caches, results and experiments live, and which layers are built."""

import os
from pathlib import Path

from mer_keras.errors import UserError

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
    return [_expanded(folder, "MER_DATA") for folder in folders if folder]


def cache_root() -> Path:
    """Folder for derived arrays and synthetic databases: ``MER_CACHE`` or the user's cache."""
    folder = os.environ.get("MER_CACHE")
    if folder:
        return _expanded(folder, "MER_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _expanded(base, "MER_CACHE") / "mer_keras"


def registry_path() -> Path:
    """File that lists a user's own databases, in ``MER_CONFIG`` or the user's config folder."""
    folder = os.environ.get("MER_CONFIG")
    if folder:
        return _expanded(folder, "MER_CONFIG") / "databases.json"
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return _expanded(base, "MER_CONFIG") / "mer_keras" / "databases.json"


def results_root() -> Path:
    """Folder for runs: ``MER_RESULTS`` or ``results``."""
    return _expanded(os.environ.get("MER_RESULTS", "results"), "MER_RESULTS")


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


def _expanded(folder: str, variable: str) -> Path:
    """Put a home folder in the place of ``~``; ``variable`` names another folder instead.

    Raises:
        UserError: the system knows no home folder of this user, or none of a user of that name.
    """
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"{folder}: no such home folder is known: name a folder by {variable}, or set HOME"
        ) from error
