"""SMIC-HS (Li et al., FG 2013): the part that was filmed at 100 frames a second.

164 clips of 16 subjects. The folders are the labels (negative, positive, surprise) and a clip is
all of its folder: onset and offset are its first and last frame. Nobody annotated an apex.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import MAX_DIGITS, find_tree, images, require_inside, subfolders
from mer_keras.databases.samples import Reading
from mer_keras.errors import AnnotationError

NAME = "smic"
FPS = 100.0
EMOTIONS = ("negative", "positive", "surprise")
TREES = {
    "cropped": ("SMIC_all_cropped/HS",),
    "raw": ("SMIC_all_raw/HS",),
}
TREE = """SMIC/
  SMIC_all_cropped/HS/s1/micro/negative/s1_ne_01/reg_image200010.bmp   cropped faces, and/or
  SMIC_all_raw/HS/s01/micro/negative/s1_ne_01/image200010.jpg          the camera's pictures"""

_SUBJECT = re.compile(r"s0*([0-9]{1,2})", re.IGNORECASE | re.ASCII)
_CLIP = re.compile(r"s0*([0-9]{1,2})_([a-z]+)_0*([0-9]+)", re.IGNORECASE | re.ASCII)


def read(root: Path, tree: str = "auto") -> Reading:
    """Find the clips' folders.

    Args:
        root: the folder that holds ``SMIC_all_cropped`` and/or ``SMIC_all_raw``.
        tree: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One row a clip; names are normalised (see ``normalise_clip``). Onset and offset are the
        clip's first and last frame, the apex is empty.

    Raises:
        AnnotationError: there is no such tree, or no clip in it.
    """
    frames, chosen = find_tree(root, TREES, tree, TREE)
    rows, strange = [], 0
    for subject in subfolders(frames):
        if not _SUBJECT.fullmatch(subject.name):
            continue
        for emotion in subfolders(subject / "micro"):
            for clip in subfolders(emotion):
                if emotion.name.lower() not in EMOTIONS or not _CLIP.fullmatch(clip.name):
                    strange += 1
                    continue
                rows.append(
                    {
                        "row": None,
                        "database": NAME,
                        "subject": normalise_subject(subject.name),
                        "clip": normalise_clip(clip.name),
                        "path": require_inside(clip, root, str(frames)),
                        **_ends(clip),
                        "fps": FPS,
                        "emotion": emotion.name.lower(),
                    }
                )
    if not rows:
        raise AnnotationError(
            f"{frames}: no clip in it: expected the tree\n{TREE}\nunpack the database completely"
        )
    warnings = [f"{strange} folder(s) that are no clip of SMIC-HS are not read"] if strange else []
    edition = f"folders of {frames.parent.name}"
    return Reading(frames, rows, TREE, edition=edition, frames=chosen, warnings=warnings)


def _ends(clip: Path) -> dict[str, int]:
    """Return the first and the last frame number; nothing for an empty folder, an error later."""
    found = [re.findall(r"[0-9]+", picture.stem) for picture in images(clip)]
    if any(len(digits[-1]) > MAX_DIGITS for digits in found if digits):
        raise AnnotationError(
            f"{clip}: a frame's number has more than {MAX_DIGITS} digits: expected the database's "
            "own names, such as reg_image200010.bmp; unpack it anew"
        )
    numbers = [int(digits[-1]) for digits in found if digits]
    return {"onset": min(numbers), "offset": max(numbers)} if numbers else {}


def normalise_subject(name: str) -> str:
    """Return ``s01`` for s1, s01 and S01: releases differ. Other names are returned as they are."""
    match = _SUBJECT.fullmatch(name.strip())
    return f"s{int(match[1]):02d}" if match else name


def normalise_clip(name: str) -> str:
    """Return ``s01_ne_01`` for s1_ne_01 and s01_ne_1. Other names are returned as they are."""
    match = _CLIP.fullmatch(name.strip())
    if not match:
        return name
    return f"s{int(match[1]):02d}_{match[2].lower()}_{int(match[3]):02d}"


DATABASE = Database(
    name=NAME,
    title="SMIC-HS, spontaneous micro-expressions at 100 frames a second",
    folders=("SMIC", "SMIC-HS", "SMIC_HS"),
    reader=read,
    whom_to_ask=(
        "University of Oulu, Center for Machine Vision and Signal Analysis (X. Li, G. Zhao): sign\n"
        "the licence agreement at https://www.oulu.fi/cmvs/node/41319 and send it as described."
    ),
    tree=TREE,
    trees=tuple(TREES),
    counts={"negative": 70, "positive": 51, "surprise": 43},
    subjects=16,
)
