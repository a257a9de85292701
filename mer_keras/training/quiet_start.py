"""Keras is imported late, since that takes seconds, and in silence."""

import logging
import os
import sys
import threading
from pathlib import Path

#: Threads that TensorFlow may start while a small network is trained, beside those of each core.
_THREADS = 24


def import_keras() -> None:
    """Import Keras without the remarks that TensorFlow's C++ parts write past Python.

    Standard error must be open, if only to nowhere (see ``cli.streams``).

    Raises:
        RuntimeError: this process may not start the threads that TensorFlow needs; it would abort
            in the midst of a run.
    """
    _try_threads(_THREADS + 4 * (os.cpu_count() or 1))
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


def _try_threads(count: int) -> None:
    """Start threads that wait for each other, and end them."""
    end = threading.Event()
    waiting: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            waiting.append(thread)
    finally:
        end.set()
        for thread in waiting:
            thread.join()
