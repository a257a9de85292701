"""Onset, apex and offset of clips as a reader sees them, larger than a network's input."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mer_keras.arrays import Array
from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip
from mer_keras.errors import FrameError
from mer_keras.runs.context import RunContext

#: Side of the frames in pixels: in smaller ones a reader sees no motion.
SIZE = 96
#: Onset, one frame before the apex, apex, one frame behind it, offset.
FRAMES = 5
#: Places of onset and apex among them.
ONSET, APEX = 0, FRAMES // 2


def key_frames_of(context: RunContext, sample_ids: Sequence[str]) -> dict[str, Array]:
    """Load the key frames of some clips, gray and cut as the run's first input cuts them.

    Args:
        context: the run.
        sample_ids: the clips.

    Returns:
        Sample id -> (5, 96, 96) float32 in 0..1: onset, a frame between, apex, a frame between,
        offset. Clips without footage, such as stored flow images, are left out.
    """
    table = context.samples.table
    chosen = table[table["sample_id"].isin(sample_ids)].reset_index(drop=True)
    cuts = [recipe.crop for recipe in context.config.inputs.values() if recipe.crop != "none"]
    recipe = Clip(
        kind="frames",
        frames=FRAMES,
        size=SIZE,
        sampling="around_apex",
        crop=cuts[0] if cuts else "none",
    )
    try:
        clips = load_clips(replace(context.samples, table=chosen), recipe)
    except FrameError:
        return {}
    arrays = np.asarray(clips.select(clips.sample_ids), "float32")  # (clips, 5, 96, 96, 1)
    return dict(zip(clips.sample_ids, arrays[..., 0], strict=True))
