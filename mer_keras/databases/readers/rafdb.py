"""RAF-DB, basic part (Li, Deng, Du, CVPR 2017): 15,339 faces from the web in seven classes.

Who is in a picture is not known, so nothing can be divided by subject.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import find_frames, first_folder
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.workbook import read_limited
from mer_keras.errors import AnnotationError

NAME = "rafdb"
EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
#: The first name is the release's own, misspelt.
LISTS = ("list_patition_label.txt", "list_partition_label.txt")
FRAME_SOURCES = {"aligned": ("Image/aligned",), "original": ("Image/original",)}

_LINE = re.compile(r"((?:train|test)_[0-9]{1,6})\.(jpg|png)\s+([1-7])", re.ASCII)


def read(root: Path) -> Reading:
    """Read the list of labels.

    Args:
        root: the folder that holds ``basic``, or ``basic`` itself.

    Returns:
        One annotation a picture; ``clip`` begins with the official part (train or test).

    Raises:
        AnnotationError: the list or the pictures are absent, or a line has another form.
    """
    basic = root if (root / "EmoLabel").is_dir() else first_folder(root, ("basic",), DATABASE.tree)
    lists = (basic / "EmoLabel" / name for name in LISTS)
    table = next((path for path in lists if path.is_file()), None)
    if table is None:
        raise AnnotationError(f"{basic}: expected EmoLabel/{LISTS[0]} in the tree\n{DATABASE.tree}")
    pictures, frame_source = find_frames(basic, FRAME_SOURCES, "auto", DATABASE.tree)
    suffix = "_aligned" if frame_source == "aligned" else ""
    clips = []
    text = read_limited(table).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise AnnotationError(
                f"{table}: line {number}: {line[:60]!r}, expected a file and a class from 1 to 7, "
                "such as 'train_00001.jpg 5'; correct the line"
            )
        picture = pictures / f"{match[1]}{suffix}.{match[2]}"
        path = require_inside(picture, root, f"{table}: line {number}")
        emotion = EMOTIONS[int(match[3]) - 1]
        clips.append(ClipAnnotation(NAME, "unknown", match[1], path, emotion, row=number))
    warnings = ["no subjects are known: nothing can be divided by subject"]
    return Reading(table, clips, DATABASE.tree, edition=f"basic, {frame_source}", warnings=warnings)


DATABASE = describe(NAME, read, Database)
