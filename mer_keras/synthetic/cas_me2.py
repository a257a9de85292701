"""A synthetic CAS(ME)^2: expressions one after another in long videos, a table of three sheets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from mer_keras.synthetic.layout import Layout, Number, draw_number
from mer_keras.synthetic.synthetic_clip import (
    PEAK_MACRO,
    Cell,
    SyntheticClip,
    assign_roles,
    draw_clip,
)

#: How the table names the two kinds of expressions.
MICRO, MACRO = "micro-expression", "macro-expression"
#: Frames at rest before each expression.
GAP = 6
#: Emotion -> how coders estimate it.
COARSE = {"happiness": "positive", "anger": "negative", "disgust": "negative"}
#: Subject, code and number of a recording whose folder bears another person's number.
MISNAMED = ("s19", "0502", "23")


class CasMe2(Layout):
    """The layout of CAS(ME)^2.

    ``emotions`` and ``frames`` are those of its micro-expressions: the emotions that films are
    named for, which is what the faces show. The two other labels of a clip are drawn apart.

    Attributes:
        micro_subjects: those of ``subjects`` who show micro-expressions.
        estimated: emotion as coders write it -> number of micro-expressions.
        reported: emotion as participants report it -> number of micro-expressions.
        macro_emotions: emotion -> number of macro-expressions.
        macro_frames: number of frames of a macro-expression.
        stimuli: for each video that was shown: its name in the table, code and name in the
            folders, and the emotion that it is to evoke.
    """

    micro_subjects: tuple[str, ...]
    estimated: dict[str, int]
    reported: dict[str, int]
    macro_emotions: dict[str, int]
    macro_frames: Number
    stimuli: tuple[tuple[str, str, str, str], ...]

    def draw(self, rng: np.random.Generator) -> list[SyntheticClip]:
        """Draw all 57 micro- and 300 macro-expressions, recording by recording in their order."""
        micro = [
            replace(role, person=self.subjects.index(role.subject))
            for role in assign_roles(rng, self.emotions, self.micro_subjects)
        ]
        macro = assign_roles(rng, self.macro_emotions, self.subjects)
        roles = micro + [replace(role, index=len(micro) + role.index) for role in macro]
        recordings = defaultdict(list)
        for role in roles:
            stimuli = [k for k, (*_, e) in enumerate(self.stimuli) if e == role.emotion]
            recordings[role.person, int(rng.choice(stimuli))].append(role)
        clips = []
        for (_, stimulus), expressions in sorted(recordings.items()):
            first_frame = 1
            for number, role in enumerate(expressions, start=1):
                is_micro = role.index < len(micro)
                clip = draw_clip(
                    rng,
                    role,
                    name=f"{self.stimuli[stimulus][0]}_{number}",
                    onset=first_frame + GAP,
                    frames=draw_number(rng, self.frames if is_micro else self.macro_frames),
                    peak=None if is_micro else PEAK_MACRO,
                )
                clip = replace(
                    clip,
                    first_frame=first_frame,
                    recording=self._recording(role.subject, stimulus),
                    cells={"kind": MICRO if is_micro else MACRO},
                )
                clips.append(clip)
                first_frame = clip.offset + 1
        return _with_official_faults(self._with_other_labels(rng, clips))

    def labels_of(self, clip: SyntheticClip) -> dict[str, str] | None:
        """Return the three labels of a micro-expression; macro-expressions are not read."""
        if clip.cells["kind"] != MICRO:
            return None
        return {
            "emotion": str(clip.cells["emotion"]),
            "self_report": str(clip.cells["self-report"]),
            "stimulus_emotion": clip.emotion,
        }

    def _with_other_labels(
        self, rng: np.random.Generator, clips: list[SyntheticClip]
    ) -> list[SyntheticClip]:
        """Draw what coders estimated and participants reported, in the printed numbers."""
        micro = [k for k, clip in enumerate(clips) if clip.cells["kind"] == MICRO]
        labels = {"emotion": self.estimated, "self-report": self.reported}
        for column, counts in labels.items():
            listed = [label for label, clips_of in counts.items() for _ in range(clips_of)]
            for k, label in zip(micro, rng.permutation(listed).tolist(), strict=True):
                clips[k] = replace(clips[k], cells={**clips[k].cells, column: label})
        return clips

    def _recording(self, subject: str, stimulus: int) -> str:
        _, code, name, _ = self.stimuli[stimulus]
        number = MISNAMED[2] if (subject, code) == MISNAMED[:2] else subject.removeprefix("s")
        return f"{number}_{code}{name}"

    def sheets(self, clips: Sequence[SyntheticClip]) -> dict[str, Sequence[Sequence[Cell | None]]]:
        """Return the expressions, the participants' folders and the codes of the videos."""
        expressions = [
            (
                clip.person + 1,
                clip.name,
                clip.onset,
                clip.apex,
                clip.cells.get("offset", clip.offset),
                # Some coders wrote a full-width comma between action units.
                clip.action_unit_text.replace("+", "+" if clip.index % 5 else "\uff0c"),
                clip.cells.get("emotion", COARSE[clip.emotion]),
                clip.cells["kind"],
                clip.cells.get("self-report", clip.emotion),
            )
            for clip in clips
        ]
        folders = [(int(name[1:]), name, k) for k, name in enumerate(self.subjects, start=1)]
        stimuli = [(code, stimulus) for stimulus, code, _, _ in self.stimuli]
        return {"CASFEcode_final": expressions, "naming rule1": folders, "naming rule2": stimuli}


def _with_official_faults(clips: list[SyntheticClip]) -> list[SyntheticClip]:
    """Give one micro-expression no offset, and two of one recording the same name."""
    micro = [k for k, clip in enumerate(clips) if clip.cells["kind"] == MICRO]
    last = micro[-1]
    clips[last] = replace(clips[last], cells={**clips[last].cells, "offset": 0})
    for first, second in pairwise(micro):
        recordings = [(clips[k].subject, clips[k].recording) for k in (first, second)]
        if recordings[0] == recordings[1]:
            clips[second] = replace(clips[second], name=clips[first].name)
            break
    return clips
