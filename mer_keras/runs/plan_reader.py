"""The clips of a plan: read for a minute, and after that estimated from their annotations."""

import time
from collections.abc import Mapping

from mer_keras.clips.assemble import ClipArrays, unread_clips
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import Samples
from mer_keras.progress import Progress
from mer_keras.runs.context import keep_common, load_inputs
from mer_keras.runs.expected_clips import expected_shape, mean_frames

#: Seconds for which the clips of a plan are read.
READING_SECONDS = 60.0


class _TimeIsUpError(Exception):
    """Clips were read for long enough."""


class PlanReader:
    """Loads inputs as ``context.load_inputs`` does, those that take too long without their values.

    What was read before the time was up lies in the cache, so that the run goes on from there.

    Attributes:
        unread: clips that were not read of each input of which some were not, by its name.
    """

    def __init__(self, seconds: float | None = None) -> None:
        """Prepare.

        Args:
            seconds: for which clips are read, by default ``READING_SECONDS``.
        """
        self._seconds = READING_SECONDS if seconds is None else seconds
        self.unread: dict[str, int] = {}

    def __call__(
        self,
        samples: Samples,
        recipes: Mapping[str, Clip],
        policies: Policies,
        progress: Progress | None,
    ) -> tuple[Samples, dict[str, ClipArrays]]:
        """Return the samples that every input could load, and their clips.

        Raises:
            FrameError: see ``clips.assemble.load_clips``.
            ConfigError: likewise.
        """
        deadline = time.monotonic() + self._seconds
        left = 0

        def report(step: str, done: float, total: float) -> None:
            nonlocal left
            if progress:
                progress(step, done, total)
            left = round(total - done)
            if left and time.monotonic() > deadline:
                raise _TimeIsUpError

        clips: dict[str, ClipArrays] = {}
        for name, recipe in recipes.items():
            try:
                clips |= load_inputs(samples, {name: recipe}, policies, report)[1]
            except _TimeIsUpError:
                self.unread[name] = left
        if clips:
            samples, clips = keep_common(samples, clips)
        return samples, clips | {name: _unread(samples, recipes[name]) for name in self.unread}

    def notes(self) -> list[str]:
        """Say what was not read, and what that means; nothing where everything was."""
        if not self.unread:
            return []
        return [
            f"clips were read for {self._seconds:.0f} s, which did not suffice for input "
            f"{', '.join(self.unread)}: sizes and folds are estimated from the annotations; the "
            "run leaves out clips that it can't read, and says which ones show the same"
        ]


def _unread(samples: Samples, recipe: Clip) -> ClipArrays:
    table = samples.table
    lengths = (table["offset"] - table["onset"] + 1).fillna(mean_frames(table))
    shapes = [expected_shape(recipe, int(length)) for length in lengths]
    return unread_clips(samples, recipe, shapes)
