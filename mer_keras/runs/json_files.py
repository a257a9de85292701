"""JSON files of a run: written whole or not at all, and read with a word on what is wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mer_keras.bounded_files import NoPlainFileError, TooLargeError, read_bounded
from mer_keras.errors import ResultsError
from mer_keras.json_text import parse_json
from mer_keras.whole_files import write_whole

#: What a JSON file holds; it was read from disk, so that its values have no type yet.
Json: TypeAlias = dict[str, Any]

#: Most bytes of a JSON file that is read: the folds of ten thousand people have less.
MOST_BYTES = 2**27
#: Most signs that begin or divide values: each value takes some sixty bytes when it is read.
MOST_SIGNS = 8_000_000
#: Most bytes of a file with other than ASCII letters, each of which may take four bytes when read.
MOST_OTHER_BYTES = 2**24

_SIGNS = (b"[", b"{", b",")


def write_json(path: Path, tree: Mapping[str, object]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())


def read_json(path: Path) -> Json:
    """Read a JSON mapping.

    Raises:
        ResultsError: absent, no file that can be read, too large, not JSON, or not a mapping.
    """
    try:
        tree = parse_json(_text(read_bounded(path, MOST_BYTES), path))
    except FileNotFoundError as error:
        raise ResultsError(f"{path}: not there: expected a run folder with this file") from error
    except NoPlainFileError as error:
        raise ResultsError(f"{path}: {error.strerror}: expected a JSON file") from error
    except TooLargeError as error:
        raise ResultsError(f"{path}: {error.strerror}: no file of a run") from error
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(tree, dict):
        raise ResultsError(f"{path}: expected a mapping")
    return tree


def _text(content: bytes, path: Path) -> str:
    """Decode the content of a file after what it takes in memory was bounded.

    Raises:
        ResultsError: it would take far more than its bytes.
        ValueError: it is not UTF-8.
    """
    if len(content) > MOST_OTHER_BYTES:  # Smaller files can't take much.
        signs = sum(map(content.count, _SIGNS))
        if signs > MOST_SIGNS or not content.isascii():
            raise ResultsError(
                f"{path}: {len(content):,} bytes with {signs:,} values, expected {MOST_SIGNS:,} "
                "values and ASCII letters at most: no file of a run"
            )
    return content.decode("utf-8")
