"""MMEW's macro-expressions (Ben et al., IEEE Trans. PAMI 2021), for pretraining.

The people are those of its micro-expressions, so they keep their names (``mmew/S01``): pretraining
on somebody who is tested later is refused. No real listing of this part is known beyond the form
of its paths.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import first_folder, images, incomplete, subfolders
from mer_keras.databases.labels import plain_emotion
from mer_keras.databases.links import require_inside
from mer_keras.databases.readers import mmew
from mer_keras.databases.samples import ClipAnnotation, Reading

NAME = "mmew_macro"
EMOTIONS = ("happiness", "surprise", "disgust", "fear", "sadness", "anger", "other")

_SUBJECT = re.compile(r"S[0-9]{1,3}", re.IGNORECASE | re.ASCII)


def read(root: Path) -> Reading:
    """Find the sequences: ``<subject>/<emotion>``, or a folder a take below it.

    Args:
        root: the folder that holds ``Macro_Expression``, in it or further below.

    Returns:
        One annotation a sequence, of database ``mmew``, without frame numbers: the apex is not
        annotated.

    Raises:
        AnnotationError: the folder is absent or holds no sequence.
    """
    frames = first_folder(root, ("Macro_Expression",), DATABASE.tree, _SUBJECT.pattern)
    clips, strange = [], 0
    for folder in subfolders(frames):
        if not _SUBJECT.fullmatch(folder.name):
            continue
        subject = f"S{int(folder.name[1:]):02d}"
        for emotion in subfolders(folder):
            if plain_emotion(emotion.name) not in EMOTIONS:
                strange += 1
                continue
            takes = [take for take in (emotion, *subfolders(emotion)) if images(take)]
            for take in takes:
                name = "macro-" + "-".join(take.relative_to(folder).parts)
                path = require_inside(take, root, str(folder))
                clips.append(
                    ClipAnnotation(mmew.NAME, subject, name, path, emotion.name.lower(), fps=90.0)
                )
    if not clips:
        raise incomplete(f"{frames}: no sequence in it", DATABASE.tree)
    warnings = [f"{strange} folder(s) of unknown emotions are not read"] if strange else []
    edition = f"folders of {frames.name}"
    return Reading(frames, clips, DATABASE.tree, edition=edition, warnings=warnings)


DATABASE = describe(NAME, read, Database)
