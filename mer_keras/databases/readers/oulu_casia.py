"""Oulu-CASIA NIR&VIS (Zhao et al., Image and Vision Computing 2011): posed expressions.

80 subjects, six expressions, two cameras and three lights. The visible-light camera under strong
light is read (Wang et al.: micro-attention): 480 sequences from neutral to apex. No real listing is
known: the form of the paths is as public loaders read them.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import images, incomplete, subfolders
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading

NAME = "oulu_casia"
CAMERA, LIGHT = "VL", "Strong"
CAMERAS, LIGHTS = ("VL", "NI"), ("Strong", "Weak", "Dark")
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")

_SUBJECT = re.compile(r"P[0-9]{3}", re.ASCII)
#: Releases pack the same tree into up to this many folders.
_DEPTH = 4


def read(root: Path) -> Reading:
    """Find the sequences.

    Args:
        root: the folder that holds the cameras' folders, in it or a few levels below.

    Returns:
        One annotation a sequence, without frame numbers: it is its whole folder, and its last
        frame the apex (sampling ``last``).

    Raises:
        AnnotationError: the camera's folder is absent or holds no sequence.
    """
    cameras = _cameras(root, _DEPTH)
    clips, unused = [], 0
    for camera in cameras:
        for light in subfolders(camera):
            is_used = _is_named(camera, CAMERA) and _is_named(light, LIGHT)
            for subject in (f for f in subfolders(light) if _SUBJECT.fullmatch(f.name)):
                for folder in subfolders(subject):
                    emotion = folder.name.lower()
                    if emotion not in EMOTIONS or not images(folder):
                        continue
                    if not is_used:
                        unused += 1
                        continue
                    path = require_inside(folder, root, str(light))
                    clips.append(ClipAnnotation(NAME, subject.name, folder.name, path, emotion))
    if not clips:
        problem = f"{root}: no sequence of camera {CAMERA} under light {LIGHT}"
        raise incomplete(problem, DATABASE.tree)
    warnings = [f"{unused} sequences of another camera or light are not read"] if unused else []
    edition = f"{CAMERA}, {LIGHT}"
    return Reading(root, clips, DATABASE.tree, edition=edition, warnings=warnings)


def _cameras(root: Path, depth: int) -> list[Path]:
    """Return the cameras' folders in a folder or up to ``depth`` levels below it."""
    named = [f for f in subfolders(root) if any(_is_named(f, camera) for camera in CAMERAS)]
    # A folder of a camera may hold another one of its name.
    cameras = [f for f in named if any(_is_named(g, n) for g in subfolders(f) for n in LIGHTS)]
    if cameras or depth == 0:
        return cameras
    return [camera for folder in subfolders(root) for camera in _cameras(folder, depth - 1)]


def _is_named(folder: Path, name: str) -> bool:
    """Say whether a folder is called so, perhaps with a suffix such as ``_Img``."""
    return folder.name.casefold().split("_")[0] == name.casefold()


DATABASE = describe(NAME, read, Database)
