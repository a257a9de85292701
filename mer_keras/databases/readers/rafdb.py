"""RAF-DB, basic part (Li, Deng, Du, CVPR 2017): 15,339 faces from the web in seven classes.

Who is in a picture is not known, so nothing can be divided by subject.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_frames, first_folder, require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.workbook import read_limited
from mer_keras.errors import AnnotationError

NAME = "rafdb"
EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
#: The first name is the release's own, misspelt.
LISTS = ("list_patition_label.txt", "list_partition_label.txt")
FRAME_SOURCES = {"aligned": ("Image/aligned",), "original": ("Image/original",)}
TREE = """RAF-DB/
  basic/EmoLabel/list_patition_label.txt       "train_00001.jpg 5"
  basic/Image/aligned/train_00001_aligned.jpg  (or Image/original/train_00001.jpg)"""

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
    basic = root if (root / "EmoLabel").is_dir() else first_folder(root, ("basic",), TREE)
    lists = (basic / "EmoLabel" / name for name in LISTS)
    table = next((path for path in lists if path.is_file()), None)
    if table is None:
        raise AnnotationError(f"{basic}: expected EmoLabel/{LISTS[0]} in the tree\n{TREE}")
    pictures, frame_source = find_frames(basic, FRAME_SOURCES, "auto", TREE)
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
    return Reading(table, clips, TREE, edition=f"basic, {frame_source}", warnings=warnings)


DATABASE = Database(
    name=NAME,
    title="RAF-DB, basic expressions",
    folders=("RAF-DB", "RAFDB", "RAF"),
    reader=read,
    whom_to_ask=(
        "Beijing University of Posts and Telecommunications (W. Deng): request it as described at\n"
        "http://www.whdeng.cn/RAF/model1.html"
    ),
    tree=TREE,
    # The release's own page gives the counts of its training and test parts.
    counts={
        "surprise": 1290 + 329,
        "fear": 281 + 74,
        "disgust": 717 + 160,
        "happiness": 4772 + 1185,
        "sadness": 1982 + 478,
        "anger": 705 + 162,
        "neutral": 2524 + 680,
    },
    expressions="macro",
)
