"""Files that are written whole or not at all."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mer_keras.errors import ResultsError

#: What a JSON file holds; it was read from disk, so that its values have no type yet.
Json: TypeAlias = dict[str, Any]

#: Most bytes of a JSON file that is read: the folds of ten thousand people have less.
MOST_BYTES = 2**27


def write_json(path: Path, tree: Mapping[str, object]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all (see ``whole_file``)."""
    with whole_file(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def whole_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a path beside ``path`` to write to; then flush the file to the disk and rename it.

    The temporary name is this call's own, so that two processes may write one file at a time: the
    later one replaces the earlier one's.

    Args:
        path: the file; its folder is made.
        suffix: ending of the temporary name, for writers that take certain endings only.

    Raises:
        OSError: the disk is full or read-only; what stood there before still does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part{suffix}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush(path.parent)


def read_json(path: Path) -> Json:
    """Read a JSON mapping.

    Raises:
        ResultsError: absent, no file that can be read, too large, not JSON, or not a mapping.
    """
    try:
        # A link to a device has no end, and a file with holes can claim any size.
        if path.exists() and not path.is_file():
            raise ResultsError(f"{path}: no file: expected a JSON file")
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ResultsError(f"{path}: larger than {MOST_BYTES:,} bytes: no file of a run")
        tree = json.loads(content.decode("utf-8"))
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: not there: expected a run folder with this file") from error
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(tree, dict):
        raise ResultsError(f"{path}: expected a mapping")
    return tree


def _flush(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
