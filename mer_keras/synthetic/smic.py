"""A synthetic SMIC-HS: its clips and trees. The folders are the annotation."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mer_keras.synthetic.layout import Layout
from mer_keras.synthetic.synthetic_clip import SyntheticClip, assign_roles, draw_clip

#: Clips per class, as the database's authors count them.
EMOTIONS: dict[str, int] = {"negative": 70, "positive": 51, "surprise": 43}
#: Class -> emotions whose action units its clips show.
SHOWN = {"negative": ("disgust", "sadness", "fear"), "positive": ("happiness",)}
_CODES = {"negative": "ne", "positive": "po", "surprise": "sur"}
SUBJECTS: tuple[str, ...] = tuple(
    f"s{n}" for n in (*range(1, 7), 8, 9, *range(11, 16), *range(18, 21))
)
#: Frames in a clip, from and to: a quarter to half a second at 100 frames a second.
FRAMES = (22, 51)
README = "readme.txt"


def draw_clips(seed: int) -> list[SyntheticClip]:
    """Draw all 164 clips, in order of subject and clip."""
    rng = np.random.default_rng([seed, 6])
    takes = Counter[tuple[str, str]]()
    clips = []
    for role in assign_roles(rng, EMOTIONS, SUBJECTS):
        takes[role.subject, role.emotion] += 1
        take = takes[role.subject, role.emotion]
        clips.append(
            draw_clip(
                rng,
                role,
                name=f"{role.subject}_{_CODES[role.emotion]}_{take:02d}",
                onset=200_000 + int(rng.integers(1, 900)),
                frames=int(rng.integers(*FRAMES)),
                prototype=str(rng.choice(SHOWN.get(role.emotion, (role.emotion,)))),
            )
        )
    return sorted(clips, key=lambda clip: (clip.subject, clip.name))


def _cropped(clip: SyntheticClip, frame: int) -> Path:
    folder = Path("SMIC_all_cropped", "HS", clip.subject, "micro", clip.emotion, clip.name)
    return folder / f"reg_image{frame}.bmp"


def _raw(clip: SyntheticClip, frame: int) -> Path:
    subject = f"s{int(clip.subject[1:]):02d}"
    folder = Path("SMIC_all_raw", "HS", subject, "micro", clip.emotion, clip.name)
    return folder / f"image{frame}.jpg"


def _write_tables(root: Path, clips: Sequence[SyntheticClip]) -> None:
    text = "Synthetic stand-in for SMIC-HS. The folders are the labels.\n"
    (root / README).write_text(text, encoding="utf-8")


LAYOUT = Layout(
    name="smic",
    folder="SMIC",
    last=README,
    draw_clips=draw_clips,
    frame_path=_cropped,
    native=(170, 140),
    write_tables=_write_tables,
    camera_path=_raw,
    camera=(640, 480),
)
