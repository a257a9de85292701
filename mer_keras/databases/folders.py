"""Where a database's table and folders are, however they were unpacked."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mer_keras.errors import AnnotationError

#: Most digits of a number in a frame's name: the tables' 64-bit integers hold no longer ones.
MAX_DIGITS = 18
#: Suffixes (lower case) of files that can be frames.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
#: Suffixes (lower case) of files that can be videos.
VIDEO_SUFFIXES = (".avi", ".mp4", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv")
#: Archives wrap a database into up to so many further folders.
MAX_WRAPPERS = 3
#: A folder with more folders in it is no mere wrapper.
MAX_FOLDERS_IN_WRAPPER = 40
#: At most so many folders of one level are looked into: somebody may name a whole disk.
MAX_WRAPPERS_IN_LEVEL = 2000
#: Folders that archives of some systems hold beside the content.
_NO_CONTENT = frozenset({"__MACOSX"})
#: Suffixes (lower case) of files that may be an annotation table, or an archive that holds it.
_TABLE_SUFFIXES = (".xlsx", ".xls", ".xlsm", ".ods", ".csv", ".tsv", ".txt", ".zip", ".rar", ".7z")


def wrappers(root: Path) -> Iterator[Path]:
    """Yield a folder, then those below it that may merely wrap a database, level by level.

    Archives pack a tree once more into a folder of the same name or of the archive's, and people
    keep what they unpacked. A folder of many folders is content, so it isn't looked into.
    """
    level = [root]
    for depth in range(MAX_WRAPPERS + 1):
        yield from level
        if depth == MAX_WRAPPERS:
            return
        inside = [subfolders(folder) for folder in level]
        level = [
            folder
            for folders in inside
            if len(folders) <= MAX_FOLDERS_IN_WRAPPER
            for folder in folders
            if folder.name not in _NO_CONTENT
        ][:MAX_WRAPPERS_IN_LEVEL]


def look_through(folder: Path, inside: str) -> Path:
    """Return the nearest folder that holds a database's content: this one or one that it wraps.

    Args:
        folder: where the content should be.
        inside: pattern of the names of the folders that the content consists of, such as
            ``sub[0-9]+``; compared with whole names, without case.

    Returns:
        The folder itself where no other one holds such folders, so that errors name it.
    """
    name = re.compile(inside, re.IGNORECASE)
    for wrapper in wrappers(folder):
        if any(name.fullmatch(content.name) for content in subfolders(wrapper)):
            return wrapper
    return folder


def find_table(root: Path, official: Sequence[str], pattern: str) -> tuple[Path, list[str]]:
    """Find the annotation table of a database, in its root or in a folder that wraps it.

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
        file_names(root)
    except OSError as error:
        raise AnnotationError(
            f"{root}: can't be listed ({error.strerror}): expected the folder of a database"
        ) from error
    for folder in wrappers(root):
        names = file_names(folder, ignore_errors=True)
        folded = {name.casefold(): name for name in names}
        known = [folded[name.casefold()] for name in official if name.casefold() in folded]
        # An open spreadsheet leaves a lock file "~$name.xlsx" beside it.
        similar = [n for n in names if fnmatchcase(n.casefold(), pattern) and n[0] not in "~."]
        if not known and not similar:
            continue
        if not known and len(similar) > 1:
            raise AnnotationError(
                f"{folder}: expected the annotation table {official[0]!r} in this folder: found "
                f"{', '.join(similar)}; keep one"
            )
        chosen = (known or similar)[0]
        remarks = []
        if not known or len({*known, *similar}) > 1:
            others = ", ".join(sorted({*known, *similar} - {chosen}))
            remarks.append(
                f"annotations read from {chosen}" + (f", not from {others}" if others else "")
            )
        return folder / chosen, remarks
    raise AnnotationError(
        f"{root}: expected the annotation table {official[0]!r} in this folder: "
        f"{_remedy(root, official[0])}"
    )


def _remedy(root: Path, official: str) -> str:
    """Return what to do about an absent table, naming the files that may be meant."""
    tables = near_tables(root)
    if not tables:
        return "copy it there"
    as_workbook = official.endswith(".xlsx")
    old = [name for name in tables if as_workbook and not name.endswith(".xlsx")]
    if old:
        remedy = "open it in a spreadsheet program and save it as .xlsx under the official name"
    else:
        remedy = "rename the one that is meant, or copy the official file there"
    return f"found {', '.join(tables[:10])}{', ...' * (len(tables) > 10)}; {remedy}"


def near_tables(root: Path) -> list[str]:
    """Return the tables and archives in a folder and in those that it wraps, relative to it."""
    return [
        (folder / name).relative_to(root).as_posix()
        for folder in wrappers(root)
        for name in file_names(folder, ignore_errors=True)
        if name.casefold().endswith(_TABLE_SUFFIXES) and name[0] not in "~."
    ]


def find_file(root: Path, names: Sequence[str]) -> Path | None:
    """Return the first file of some names, in a folder or in one that it wraps; else None.

    Args:
        root: the folder.
        names: the preferred name first; compared without case.
    """
    for folder in wrappers(root):
        folded = {name.casefold(): name for name in file_names(folder, ignore_errors=True)}
        for name in names:
            if name.casefold() in folded:
                return folder / folded[name.casefold()]
    return None


def find_frames(
    root: Path,
    sources: Mapping[str, Sequence[str]],
    frame_source: str,
    tree: str,
    inside: str | None = None,
) -> tuple[Path, str]:
    """Find the folder that holds one kind of a database's frames, also where others wrap it.

    Args:
        root: the database's folder.
        sources: kind of frames -> folders that releases call it, below the root, the preferred
            kind first; compared without case.
        frame_source: a key of ``sources``, or ``auto`` for the first one that is there.
        tree: the expected files, for errors.
        inside: what the folders in it are called (see ``look_through``), where that is known.

    Returns:
        The folder, and the kind of frames in it.

    Raises:
        AnnotationError: there is none, or not the one that was asked for.
    """
    choices = list(sources) if frame_source == "auto" else [frame_source]
    for choice in choices:
        for relative in sources[choice]:
            for wrapper in wrappers(root):
                folder = _descend(wrapper, relative.split("/"))
                if folder is not None:
                    return (look_through(folder, inside) if inside else folder), choice
    searched = ", ".join(repr(relative) for choice in choices for relative in sources[choice])
    present = ", ".join(repr(folder.name) for folder in subfolders(root)[:10])
    raise incomplete(
        f"{root}: no frames: looked for the folder(s) {searched}"
        + (f", found the folder(s) {present}" if present else ""),
        tree,
    )


def _descend(folder: Path, parts: Sequence[str]) -> Path | None:
    """Return the folder at the end of some names, compared without case; None if one lacks."""
    for part in parts:
        inside = {path.name.casefold(): path for path in subfolders(folder)}
        if part.casefold() not in inside:
            return None
        folder = inside[part.casefold()]
    return folder


def incomplete(problem: str, tree: str) -> AnnotationError:
    """Return the error for a database of which files are absent.

    Args:
        problem: where something is absent, and what.
        tree: the expected files.
    """
    return AnnotationError(f"{problem}: expected the tree\n{tree}\nunpack the database completely")


def file_names(folder: Path, *, ignore_errors: bool = False) -> list[str]:
    """Return the names of the files in a folder, in their order.

    Args:
        folder: the folder.
        ignore_errors: whether one that can't be listed counts as empty.

    Raises:
        OSError: the folder can't be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())
    except OSError:
        if ignore_errors:
            return []
        raise


def images(folder: Path) -> list[Path]:
    """Return the images in a folder by name, hidden ones left out; none if it can't be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not e.name.startswith(".") and e.is_file()]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if name.lower().endswith(IMAGE_SUFFIXES)]


def first_folder(root: Path, names: Sequence[str], tree: str, inside: str | None = None) -> Path:
    """Return the first folder of some names in a folder or in one that it wraps; case is ignored.

    Args:
        root: the folder that should hold it.
        names: what releases call it, the preferred name first.
        tree: the expected files, for errors.
        inside: what the folders in it are called (see ``look_through``), where that is known.

    Raises:
        AnnotationError: there is none.
    """
    return find_frames(root, {"": names}, "", tree, inside)[0]


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


def require_frames(
    paths: Sequence[Path],
    source: Path,
    tree: str,
    *,
    remedy: str = "unpack the database completely",
) -> None:
    """Check that every clip has its frames.

    Args:
        paths: one a clip: a folder of frames, or a file.
        source: the annotation table that lists the clips.
        tree: the expected files, for errors.
        remedy: what to do about absent ones, for errors.

    Raises:
        AnnotationError: naming the first path that is absent, or the first folder without images.
    """
    usable = {path: _is(Path.is_file, path) or has_images(path) for path in set(paths)}
    empty = [path for path in paths if not usable[path]]
    if empty:
        problem = "holds no image" if _is(Path.is_dir, empty[0]) else "is absent"
        raise AnnotationError(
            f"{empty[0]} {problem} ({len(empty)} of {len(paths)} clips in {source.name} lack "
            f"their frames): expected the tree\n{tree}\n{remedy}, or remove the rows of clips that "
            "you don't have"
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
