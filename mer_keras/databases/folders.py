"""Where a database's files are: its annotation table, its clip folders, and nothing outside it."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mer_keras.errors import AnnotationError

#: Most digits of a number in a frame's name: the tables' 64-bit integers hold no longer ones.
MAX_DIGITS = 18
#: Suffixes (lower case) of files that can be frames.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def find_table(root: Path, official: Sequence[str], pattern: str) -> tuple[Path, list[str]]:
    """Find the annotation table in the root of a database.

    Args:
        root: the database's folder.
        official: names of known releases, the preferred one first; compared without case.
        pattern: what other releases may be called, in lower case, with ``*``.

    Returns:
        The table, and remarks: which one was read if there are several or its name is unknown.

    Raises:
        AnnotationError: there is none, or several of unknown names.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_file())
    except OSError as error:
        raise AnnotationError(
            f"{root}: can't be listed ({error.strerror}): expected the folder of a database"
        ) from error
    folded = {name.casefold(): name for name in names}
    known = [folded[name.casefold()] for name in official if name.casefold() in folded]
    # An open spreadsheet leaves a lock file "~$name.xlsx" beside it.
    similar = [n for n in names if fnmatchcase(n.casefold(), pattern) and n[0] not in "~."]
    if not known and len(similar) != 1:
        old = [n for n in names if fnmatchcase(n.casefold(), pattern.replace(".xlsx", ".xls"))]
        remedy = "copy it there"
        if similar:
            remedy = f"found {', '.join(similar)}; keep one"
        elif old:
            remedy = f"found {old[0]}; open it in a spreadsheet program and save it as .xlsx"
        raise AnnotationError(
            f"{root}: expected the annotation table {official[0]!r} in this folder: {remedy}"
        )
    chosen = (known or similar)[0]
    remarks = []
    if not known or len({*known, *similar}) > 1:
        others = ", ".join(sorted({*known, *similar} - {chosen}))
        remarks.append(
            f"annotations read from {chosen}" + (f", not from {others}" if others else "")
        )
    return root / chosen, remarks


def find_frames(
    root: Path, sources: Mapping[str, Sequence[str]], frame_source: str, tree: str
) -> tuple[Path, str]:
    """Find the folder that holds one kind of a database's frames.

    Args:
        root: the database's folder.
        sources: kind of frames -> folders that releases call it, below the root, the preferred
            kind first; compared without case.
        frame_source: a key of ``sources``, or ``auto`` for the first one that is there.
        tree: the expected files, for errors.

    Returns:
        The folder, and the kind of frames in it.

    Raises:
        AnnotationError: there is none, or not the one that was asked for.
    """
    choices = list(sources) if frame_source == "auto" else [frame_source]
    for choice in choices:
        for relative in sources[choice]:
            folder: Path | None = root
            for part in relative.split("/"):
                inside = {p.name.casefold(): p for p in subfolders(folder)} if folder else {}
                folder = inside.get(part.casefold())
            if folder is not None:
                return folder, choice
    searched = ", ".join(repr(relative) for choice in choices for relative in sources[choice])
    raise incomplete(f"{root}: no frames: looked for the folder(s) {searched}", tree)


def incomplete(problem: str, tree: str) -> AnnotationError:
    """Return the error for a database of which files are absent.

    Args:
        problem: where something is absent, and what.
        tree: the expected files.
    """
    return AnnotationError(f"{problem}: expected the tree\n{tree}\nunpack the database completely")


def require_inside(path: Path, root: Path, where: str) -> Path:
    """Return ``path`` as an absolute path; it must not lead out of the database's folder.

    Args:
        path: a file or folder under ``root``.
        root: the database's folder.
        where: says what names the path, for errors.

    Raises:
        AnnotationError: a link leads out of ``root``.
    """
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # The links form a loop.
        inside = False
    if not inside:
        raise AnnotationError(
            f"{where}: {path} leads out of {root}: expected a place inside the database's folder; "
            "replace the link by what it points to"
        )
    return path.absolute()


def images(folder: Path) -> list[Path]:
    """Return the images in a folder by name, hidden ones left out; none if it can't be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_file()]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if name.lower().endswith(IMAGE_SUFFIXES)]


def first_folder(root: Path, names: Sequence[str], tree: str) -> Path:
    """Return the first folder of some names in a folder; case is ignored.

    Args:
        root: the folder that should hold it.
        names: what releases call it, the preferred name first.
        tree: the expected files, for errors.

    Raises:
        AnnotationError: there is none.
    """
    return find_frames(root, {"": names}, "", tree)[0]


def has_images(folder: Path) -> bool:
    """Say whether a folder exists and holds at least one image."""
    try:
        with os.scandir(folder) as entries:
            return any(
                entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.name.startswith(".")
                for entry in entries
            )
    except OSError:
        return False


def require_frames(paths: Sequence[Path], source: Path, tree: str) -> None:
    """Check that every clip has its frames.

    Args:
        paths: one a clip: a folder of frames, or a file.
        source: the annotation table that lists the clips.
        tree: the expected files, for errors.

    Raises:
        AnnotationError: naming the first path that is absent, or the first folder without images.
    """
    usable = {path: _is(Path.is_file, path) or has_images(path) for path in set(paths)}
    empty = [path for path in paths if not usable[path]]
    if empty:
        problem = "holds no image" if _is(Path.is_dir, empty[0]) else "is absent"
        raise AnnotationError(
            f"{empty[0]} {problem} ({len(empty)} of {len(paths)} clips in {source.name} lack "
            f"their frames): expected the tree\n{tree}\nunpack the database completely, or remove "
            "the rows of clips that you don't have"
        )


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError:  # The name is too long, or its folder may not be looked into.
        return False


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, hidden ones left out; none if it can't be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def unlisted_warnings(present: Iterable[Path], used: Iterable[Path], source: Path) -> list[str]:
    """Return a line with the number of clip folders that no row names."""
    extra = {path.absolute() for path in present} - {path.absolute() for path in used}
    return [f"{len(extra)} clip folder(s) have no row in {source.name}"] if extra else []
