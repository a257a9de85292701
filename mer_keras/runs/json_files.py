"""JSON files of a run: written whole or not at all, and read with a word on what is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mer_keras.errors import ResultsError
from mer_keras.whole_files import write_whole

#: What a JSON file holds; it was read from disk, so that its values have no type yet.
Json: TypeAlias = dict[str, Any]

#: Most bytes of a JSON file that is read: the folds of ten thousand people have less.
MOST_BYTES = 2**27


def write_json(path: Path, tree: Mapping[str, object]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())


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
