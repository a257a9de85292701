"""The clips of a plan: read for a minute, and after that reckoned from their annotations."""

import time
from collections.abc import Mapping

from mer_keras.clips.assemble import ClipArrays, load_clips, unread_clips
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import Samples
from mer_keras.progress import Progress, under_title
from mer_keras.runs.context import keep_common
from mer_keras.runs.expected_clips import expected_shape, mean_frames

#: Seconds for which the clips of a plan are read.
READING_SECONDS = 60.0


class _TimeIsUpError(Exception):
    """Clips were read for long enough."""


class PlanReader:
    """Loads inputs as ``context.load_inputs`` does, those that take too long without their values.

    What was read before the time was up lies in the cache, so that the run goes on from there.

    Attributes:
        unread: inputs that were not read, by name.
    """

    def __init__(self) -> None:
        self.unread: dict[str, Clip] = {}

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
        deadline = time.monotonic() + READING_SECONDS

        def report(step: str, done: float, total: float) -> None:
            if progress:
                progress(step, done, total)
            if done < total and time.monotonic() > deadline:
                raise _TimeIsUpError

        clips = {}
        for name, recipe in recipes.items():
            title = under_title(report, f"input {name}")
            try:
                clips[name] = load_clips(samples, recipe, policies, progress=title)
            except _TimeIsUpError:
                self.unread[name] = recipe
                clips[name] = _unread(samples, recipe)
        return keep_common(samples, clips)

    def notes(self) -> list[str]:
        """Say what was not read, and what that means; nothing where everything was."""
        if not self.unread:
            return []
        return [
            f"not read within {READING_SECONDS:.0f} s, so that sizes and folds are those of the "
            f"annotations: input {', '.join(self.unread)}; the run leaves out what it can't read, "
            "and says which clips show the same"
        ]


def _unread(samples: Samples, recipe: Clip) -> ClipArrays:
    table = samples.table
    lengths = (table["offset"] - table["onset"] + 1).fillna(mean_frames(table))
    shapes = [expected_shape(recipe, int(length)) for length in lengths]
    return unread_clips(samples, recipe, shapes)
