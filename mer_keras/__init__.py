"""Reproduction suite for facial micro-expression recognition.

In: annotation tables, frames and experiment configs. Out: predictions, and reports that show a
published number beside what the same method gives under a protocol that leaks nothing.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mer_keras.prediction.interface import LoadedBundle

__version__ = "0.1.0"


def load_bundle(path: Path | str, expect: str | None = None) -> "LoadedBundle":
    """Read a trained method that ``mer-keras train`` wrote; nothing in the file is run.

    Args:
        path: the file.
        expect: SHA-256 that the file must have, or its first 12 digits or more.

    Returns:
        Its ``predict(video)`` says what the expressions in a recording are called.

    Raises:
        UserError: the file is no bundle, or doesn't answer its own probe.
    """
    from mer_keras.prediction.interface import load_bundle as load

    return load(path, expect)
