"""A folder for what processes of one run hand to each other, which doesn't outlive them."""

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from mer_keras.whole_files import draft_folder


def scratch_folder() -> AbstractContextManager[Path]:
    """Make a folder in the temporary one, and remove it at the end (see ``draft_folder``).

    What is in it may be clips of faces. Where all processes of a run are killed at once, the next
    run removes it.

    Raises:
        OSError: the temporary folder can't be written.
    """
    return draft_folder(Path(tempfile.gettempdir()), "mer-")
