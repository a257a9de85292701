"""MUG (Aifanti et al., WIAMIS 2010): posed expressions as sequences.

Its layout is put together from descriptions: no public loader was found to compare with, and a
remark says so wherever it is read.
"""

from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import images, incomplete, look_through, subfolders
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading

NAME = "mug"
EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
UNVERIFIED = "the layout of MUG is unverified: compare the counts with your copy"


def read(root: Path) -> Reading:
    """Find the sequences; the level of takes may be missing.

    Args:
        root: the folder that holds one folder a subject.

    Returns:
        One annotation a take, without frame numbers: the apex is not annotated.

    Raises:
        AnnotationError: there is no sequence.
    """
    clips = []
    for subject in subfolders(look_through(root, r"[0-9]{1,3}")):
        for folder in subfolders(subject):
            emotion = folder.name.lower()
            if emotion not in EMOTIONS:
                continue
            for take in subfolders(folder) or [folder]:
                if not images(take):
                    continue
                name = folder.name if take == folder else f"{folder.name}-{take.name}"
                path = require_inside(take, root, str(subject))
                clips.append(ClipAnnotation(NAME, subject.name, name, path, emotion))
    if not clips:
        raise incomplete(f"{root}: no sequence", DATABASE.tree)
    return Reading(root, clips, DATABASE.tree, edition="folders", warnings=[UNVERIFIED])


DATABASE = describe(NAME, read, Database)
