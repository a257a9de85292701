"""CK+ (Lucey et al., CVPR workshops 2010): posed expressions from neutral to apex.

593 sequences of 123 subjects; 327 have an emotion. The last frame is the strongest.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import first_folder, images, subfolders
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Excluded, Reading
from mer_keras.databases.workbook import read_limited
from mer_keras.errors import AnnotationError

NAME = "ckplus"
PICTURES = ("cohn-kanade-images", "extended-cohn-kanade-images")
LABELS = ("Emotion", "Emotion_labels")
EMOTIONS = (
    "neutral",
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
)

_SUBJECT = re.compile(r"S[0-9]{3}", re.ASCII)


def read(root: Path) -> Reading:
    """Read the emotion files and find each sequence's folder.

    Args:
        root: the folder that holds ``cohn-kanade-images`` and ``Emotion``.

    Returns:
        One annotation a labelled sequence, without frame numbers: it is its whole folder, and its
        last frame the apex (sampling ``last``). Unlabelled ones are excluded.

    Raises:
        AnnotationError: a folder is absent, or an emotion file holds no number from 0 to 7.
    """
    pictures = first_folder(root, PICTURES, DATABASE.tree, _SUBJECT.pattern)
    emotions = first_folder(root, LABELS, DATABASE.tree, _SUBJECT.pattern)
    clips, excluded = [], []
    for subject in subfolders(pictures):
        if not _SUBJECT.fullmatch(subject.name):
            continue
        for sequence in subfolders(subject):
            if not images(sequence):
                continue
            emotion = _emotion(emotions / subject.name / sequence.name)
            if emotion is None:
                name = f"{subject.name}/{sequence.name}"
                excluded.append(Excluded(NAME, name, "no emotion label"))
                continue
            path = require_inside(sequence, root, str(pictures))
            clips.append(ClipAnnotation(NAME, subject.name, sequence.name, path, emotion))
    return Reading(
        pictures, clips, DATABASE.tree, edition=f"folders of {root.name}", excluded=excluded
    )


def _emotion(folder: Path) -> str | None:
    """Return the emotion that a folder's file gives; None if there is no file."""
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix == ".txt" and p.name[0] != ".")
    except OSError:
        return None
    if not files:
        return None
    text = read_limited(files[0], 1000).decode("ascii", "replace").strip()
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if number not in range(len(EMOTIONS)):
        raise AnnotationError(
            f"{files[0]}: {text[:60]!r}, expected one number, 0 (neutral) to 7 (surprise); get the "
            "file again"
        )
    return EMOTIONS[int(number)]


DATABASE = describe(NAME, read, Database)
