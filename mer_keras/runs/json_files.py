"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mer_keras.errors import ResultsError

#: What a JSON file holds; it was read from disk, so that its values have no type yet.
Json: TypeAlias = dict[str, Any]


def write_json(path: Path, tree: Mapping[str, object]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk, and rename it.

    Raises:
        OSError: the disk is full or read-only; what stood there before still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_json(path: Path) -> Json:
    """Read a JSON mapping.

    Raises:
        ResultsError: absent, not JSON, or not a mapping.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: not there: expected a run folder with this file") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(tree, dict):
        raise ResultsError(f"{path}: expected a mapping")
    return tree
