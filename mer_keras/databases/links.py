"""Links on the disk: which are followed, and which lead out of a database.

A user may link a database, or a tree of frames in it, to where there is room for it. A clip itself
and its frames are never links to somewhere else: a table or an archive from elsewhere must not name
the files of this machine.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mer_keras.errors import AnnotationError


def require_inside(path: Path, root: Path, where: str, *, linked_trees: bool = True) -> Path:
    """Return ``path`` as an absolute path; neither it nor a frame in it may lead elsewhere.

    Args:
        path: a clip's file or folder under ``root``.
        root: the database's folder.
        where: says what names the path, for errors.
        linked_trees: whether a folder between them may be a link out of the root. Where a table's
            cell of own data names the whole path, none may.

    Raises:
        AnnotationError: a link leads out of ``root`` and of what is linked there.
    """
    path, root = path.absolute(), root.absolute()
    try:
        places = _linked_places(path, root) if linked_trees else [root.resolve(strict=True)]
        outside = None if _is_inside(path, places) else path
        if outside is None:
            outside = next((f for f in _links_in(path) if not _is_inside(f, places)), None)
    except (OSError, RuntimeError):  # The links form a loop.
        outside = path
    if outside is not None:
        raise AnnotationError(
            f"{where}: {outside} leads out of {root}: expected a place inside the database's "
            "folder; replace the link by what it points to"
        )
    return path


def _linked_places(path: Path, root: Path) -> list[Path]:
    """Return the real root, and the real folders that links between it and the clip lead to."""
    parents = [parent for parent in path.parents if parent.is_relative_to(root)]
    links = [parent for parent in parents if parent != root and parent.is_symlink()]
    return [place.resolve(strict=True) for place in (root, *links)]


def _is_inside(path: Path, places: Sequence[Path]) -> bool:
    real = path.resolve()
    return any(real.is_relative_to(place) for place in places)


def _links_in(folder: Path) -> list[Path]:
    """Return the links in a clip's folder; none if it is a file or can't be listed."""
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.is_symlink()]
    except OSError:
        return []
