"""A synthetic SAMM: its clips and its coding table."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mer_keras.synthetic.layout import Layout, draw_number
from mer_keras.synthetic.synthetic_clip import (
    OTHER_CLASS,
    Cell,
    SyntheticClip,
    assign_objective_classes,
    assign_roles,
    draw_clip,
    rename_clip,
    running_numbers,
)

#: Clips whose frame numbers have four digits rather than five.
FOUR_DIGITS = 6
#: Clips whose apex is misprinted in one copy of the real table: subject, name, the true apex, the
#: printed one.
STRAY_APEX = (("028", "028_4_1", 1113, 1143), ("032", "032_3_1", 4930, 1930))


class Samm(Layout):
    """The layout of SAMM."""

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 159 clips, in order of clip name."""
        roles = assign_roles(rng, self.emotions, self.subjects, self.only)
        classes = assign_objective_classes(roles, self.objective_classes)
        typical = {emotion for shares in self.objective_classes.values() for emotion in shares}
        short = set(rng.choice(len(roles), FOUR_DIGITS, replace=False).tolist())
        takes = running_numbers()
        clips = []
        for role, objective_class in zip(roles, classes, strict=True):
            stimulus = int(rng.integers(1, 8))
            onset = int(rng.integers(300, 9000 if role.index in short else 18000))
            # Class 7 holds what an emotion's typical units don't explain: here, one unit more.
            atypical = objective_class == OTHER_CLASS and role.emotion in typical
            clip = draw_clip(
                rng,
                role,
                name=f"{role.subject}_{stimulus}_{next(takes[role.person, stimulus])}",
                onset=onset,
                frames=draw_number(rng, self.frames),
                extra_units={"17": 0.35} if atypical else {},
            )
            digits = 4 if role.index in short else self.digits
            clips.append(replace(clip, digits=digits, objective_class=objective_class))
        for subject, name, apex, printed in STRAY_APEX:
            stray = rename_clip(clips, subject, name)
            clip = clips[stray]
            clips[stray] = replace(
                clip,
                onset=apex - (clip.apex - clip.onset),
                apex=apex,
                offset=apex + (clip.offset - clip.apex),
                cells={"Apex Frame": printed},
            )
        return sorted(clips, key=lambda clip: clip.name)

    def cells(self, clip: SyntheticClip) -> Mapping[str, Cell]:
        """Return the cells that are no field of the clip."""
        return {
            "Inducement Code": int(clip.name.split("_")[1]),
            "Duration": clip.offset - clip.onset + 1,
            "Micro": "Micro - 1/2",
            "Estimated Emotion": clip.emotion.capitalize(),
            **clip.cells,
        }
