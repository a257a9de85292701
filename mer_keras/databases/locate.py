"""Where the folder of a database is: under the data roots that the settings name."""

import os
from difflib import get_close_matches
from pathlib import Path

from mer_keras import settings
from mer_keras.databases.entry import Database


def find_folder(database: Database, *first: Path) -> Path | None:
    """Return the database's folder under the first data root that has it, or None.

    Args:
        database: its entry.
        first: data roots that are looked through before those of the settings.
    """
    if database.fixed_folder is not None:
        return database.fixed_folder if database.fixed_folder.is_dir() else None
    folders = (_folder_in(root, database) for root in (*first, *settings.data_roots()))
    return next((folder for folder in folders if folder is not None), None)


def near_misses(database: Database) -> list[Path]:
    """Return folders and archives in the data roots whose names are like the database's."""
    known_names = [_plain(name) for name in (database.name, *database.folders)]
    similar = []
    for root in settings.data_roots():
        try:
            with os.scandir(root) as entries:
                names = sorted(e.name for e in entries if e.is_dir() or _is_archive(e.name))
        except OSError:
            continue
        for name in names:
            plain = _plain(name)
            is_part = any(known in plain for known in known_names)
            if is_part or get_close_matches(plain, known_names, n=1, cutoff=0.7):
                similar.append(root / name)
    return similar


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _is_archive(name: str) -> bool:
    return name.casefold().endswith((".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"))


def _folder_in(root: Path, database: Database) -> Path | None:
    """Return the database's folder in a data root; case is ignored, the preferred name first."""
    present = _subfolder_names(root)
    for folder in database.folders:
        same = [name for name in present if name.casefold() == folder.casefold()]
        if same:
            return root / (folder if folder in same else same[0])
    return None


def _subfolder_names(root: Path) -> list[str]:
    """Return the names of the folders in a data root; none if it can't be listed."""
    try:
        with os.scandir(root) as entries:
            # Links to folders count: databases often lie on other disks.
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []
