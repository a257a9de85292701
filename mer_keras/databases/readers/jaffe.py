"""JAFFE (Lyons et al., FG 1998): 213 posed pictures of ten women."""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import images, wrappers
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.errors import AnnotationError

NAME = "jaffe"
EMOTIONS = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}

#: Some copies are in lower case, or converted (KA.AN1.39.tiff.bmp).
_FILE = re.compile(r"([A-Z]{2})\.(([A-Z]{2})[0-9]+)\.([0-9]+)(?:\.TIFF?)?", re.ASCII)


def read(root: Path) -> Reading:
    """Find the pictures; their names say all.

    Args:
        root: the folder that holds them, or wraps it.

    Returns:
        One annotation a picture, its ``path`` the file.

    Raises:
        AnnotationError: there is no picture.
    """
    clips, strange = [], 0
    for folder in wrappers(root):
        for picture in images(folder):
            match = _FILE.fullmatch(picture.stem.upper())
            if match is None or match[3] not in EMOTIONS:
                strange += 1
                continue
            path = require_inside(picture, root, str(folder))
            name = f"{match[2]}.{match[4]}"
            clips.append(ClipAnnotation(NAME, match[1], name, path, EMOTIONS[match[3]]))
    if not clips:
        raise AnnotationError(
            f"{root}: no picture of JAFFE: expected the tree\n{DATABASE.tree}\nunpack it completely"
        )
    warnings = [f"{strange} picture(s) with another form of name are not read"] if strange else []
    return Reading(root, clips, DATABASE.tree, edition="file names", warnings=warnings)


DATABASE = describe(NAME, read, Database)
