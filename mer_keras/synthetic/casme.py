"""A synthetic CASME: its clips and its coding table."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mer_keras.synthetic.layout import Layout, Number, draw_number
from mer_keras.synthetic.synthetic_clip import (
    Cell,
    SyntheticClip,
    assign_roles,
    draw_clip,
    evenly_spaced,
    running_numbers,
)

#: Rows whose offset lies beyond the frames on disk.
WRONG_OFFSETS = 5


class Casme(Layout):
    """The layout of CASME.

    Attributes:
        long_clips: emotion -> number of its clips that are not short; all of other emotions.
        short_frames: number of frames of the short clips.
    """

    long_clips: dict[str, int]
    short_frames: Number

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 195 clips, in order of subject and clip."""
        roles = assign_roles(rng, self.emotions, self.subjects)
        short = {role.index for role in roles if role.emotion in self.long_clips}
        for emotion, count in self.long_clips.items():
            own = [role.index for role in roles if role.emotion == emotion]
            short.difference_update(evenly_spaced(own, count))
        takes = running_numbers()
        clips = []
        for role in roles:
            episode = int(rng.integers(1, 18))
            name = f"EP{episode:02d}_{next(takes[role.person, episode])}"
            frames = draw_number(rng, self.short_frames if role.index in short else self.frames)
            onset = draw_number(rng, self.onset)
            clips.append(draw_clip(rng, role, name=name, onset=onset, frames=frames))
        surprised = [k for k, clip in enumerate(clips) if clip.emotion == "surprise"]
        for k in surprised[:WRONG_OFFSETS]:
            clips[k] = replace(clips[k], cells={"OffsetF": clips[k].offset + 4})
        clips.sort(key=lambda clip: (clip.subject, clip.name))
        half = len(clips) // 2
        return clips[:half] + [replace(clip, digits=3) for clip in clips[half:]]

    def cells(self, clip: SyntheticClip) -> Mapping[str, Cell]:
        """Return the cells that are no field of the clip; times are milliseconds at 60 fps."""
        return {
            "ApexF2": clip.apex + 1 if clip.index % 3 == 0 else "\\",
            "Onset": round((clip.apex - clip.onset) / 60 * 1000, 2),
            "Total": round((clip.offset - clip.onset + 1) / 60 * 1000, 2),
            **clip.cells,
        }
