"""JAFFE (Lyons et al., FG 1998): 213 posed pictures of ten women."""

import re
from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import images, require_inside, subfolders
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
TREE = """JAFFE/   (or jaffe/ within)
  KA.AN1.39.tiff   <subject>.<expression><repetition>.<number>.tiff"""

_FILE = re.compile(r"([A-Z]{2})\.(([A-Z]{2})[0-9]+)\.([0-9]+)", re.ASCII)


def read(root: Path) -> Reading:
    """Find the pictures; their names say all.

    Args:
        root: the folder that holds them, in it or one level below.

    Returns:
        One annotation a picture, its ``path`` the file.

    Raises:
        AnnotationError: there is no picture.
    """
    clips, strange = [], 0
    for folder in (root, *subfolders(root)):
        for picture in images(folder):
            match = _FILE.fullmatch(picture.stem)
            if match is None or match[3] not in EMOTIONS:
                strange += 1
                continue
            path = require_inside(picture, root, str(folder))
            name = f"{match[2]}.{match[4]}"
            clips.append(ClipAnnotation(NAME, match[1], name, path, EMOTIONS[match[3]]))
    if not clips:
        raise AnnotationError(
            f"{root}: no picture of JAFFE: expected the tree\n{TREE}\nunpack it completely"
        )
    warnings = [f"{strange} picture(s) with another form of name are not read"] if strange else []
    return Reading(root, clips, TREE, edition="file names", warnings=warnings)


DATABASE = Database(
    name=NAME,
    title="JAFFE, Japanese female facial expressions",
    folders=("JAFFE",),
    reader=read,
    whom_to_ask="M. Lyons: ask for access at https://zenodo.org/record/3451524",
    tree=TREE,
    counts={
        "anger": 30,
        "disgust": 29,
        "fear": 32,
        "happiness": 31,
        "neutral": 30,
        "sadness": 31,
        "surprise": 30,
    },
    subjects=10,
    expressions="macro",
)
