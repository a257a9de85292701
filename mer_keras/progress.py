"""How work in progress is reported: the three kinds of callback that the package passes on."""

from collections.abc import Callable
from functools import partial

#: Called with (what is being done, steps done, steps in all).
Progress = Callable[[str, float, float], None]

#: Called with (items done, items in all) while one thing is being done.
CountProgress = Callable[[int, int], None]

#: Called after each epoch with (epochs done, epochs at most).
EpochProgress = Callable[[int, int], None]


def under_title(progress: Progress | None, title: str) -> CountProgress | None:
    """Return what reports (done, in all) of one thing as ``title``; nothing if nobody listens."""
    return partial(progress, title) if progress else None
