"""CK+48: the last three frames of CK+'s labelled sequences, 48x48 pixels, in one folder an emotion.

A popular copy of CK+ (Lucey et al., CVPR workshops 2010). Subject and sequence stand in the file's
name, so the people keep the names that they have in CK+ (``ckplus/S010``). The number of images
(three for each of 327 sequences) is computed, not counted in a copy.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import images, incomplete, look_through, subfolders
from mer_keras.databases.labels import plain_emotion
from mer_keras.databases.links import require_inside
from mer_keras.databases.readers import ckplus
from mer_keras.databases.samples import ClipAnnotation, Reading

NAME = "ckplus48"

_FOLDER = "anger|contempt|disgust|fear|happy|happiness|sadness|surprise|neutral"
_FILE = re.compile(r"(S[0-9]{3})_([0-9]{3}_[0-9]+)", re.IGNORECASE | re.ASCII)


def read(root: Path) -> Reading:
    """Find the images.

    Args:
        root: the folder that holds one folder an emotion, or wraps it.

    Returns:
        One annotation an image, of database ``ckplus``, its ``path`` the file.

    Raises:
        AnnotationError: there is no image.
    """
    clips, strange = [], 0
    for folder in subfolders(look_through(root, _FOLDER)):
        if not re.fullmatch(_FOLDER, folder.name, re.IGNORECASE):
            continue
        for picture in images(folder):
            match = _FILE.fullmatch(picture.stem)
            if match is None:
                strange += 1
                continue
            path = require_inside(picture, root, str(folder))
            subject, emotion = match[1].upper(), plain_emotion(folder.name)
            clips.append(ClipAnnotation(ckplus.NAME, subject, f"48-{match[2]}", path, emotion))
    if not clips:
        raise incomplete(f"{root}: no picture of CK+48", DATABASE.tree)
    warnings = [f"{strange} picture(s) with another form of name are not read"] if strange else []
    return Reading(root, clips, DATABASE.tree, edition="file names", warnings=warnings)


DATABASE = describe(NAME, read, Database)
