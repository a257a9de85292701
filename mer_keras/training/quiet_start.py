"""Keras is imported late, since that takes seconds, and in silence."""

import logging
import os
import sys
from pathlib import Path


def import_keras() -> None:
    """Import Keras without the remarks that TensorFlow's C++ parts write past Python.

    Standard error must be open, if only to nowhere (see ``cli.streams``).
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import keras  # noqa: F401

            # A run has many networks, each with a graph of its own: that is nothing to warn of.
            logging.getLogger("tensorflow").setLevel(logging.ERROR)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
