"""How work in progress is reported: the three kinds of callback that the package passes on."""

from collections.abc import Callable

#: Called with (what is being done, steps done, steps in all).
Progress = Callable[[str, float, float], None]

#: Called with (items done, items in all) while one thing is being done.
CountProgress = Callable[[int, int], None]

#: Called after each epoch with (epochs done, epochs at most).
EpochProgress = Callable[[int, int], None]
