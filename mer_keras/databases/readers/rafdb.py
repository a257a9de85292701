"""RAF-DB, basic part (Li, Deng, Du, CVPR 2017): 15,339 faces from the web in seven classes.

Who is in a picture is not known, so nothing can be divided by subject.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_tree, first_folder, require_inside
from mer_keras.databases.samples import Reading
from mer_keras.databases.workbook import read_limited
from mer_keras.errors import AnnotationError

NAME = "rafdb"
EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
#: The first name is the release's own, misspelt.
LISTS = ("list_patition_label.txt", "list_partition_label.txt")
TREES = {"aligned": ("Image/aligned",), "original": ("Image/original",)}
TREE = """RAF-DB/
  basic/EmoLabel/list_patition_label.txt       "train_00001.jpg 5"
  basic/Image/aligned/train_00001_aligned.jpg  (or Image/original/train_00001.jpg)"""

_LINE = re.compile(r"((?:train|test)_[0-9]{1,6})\.(jpg|png)\s+([1-7])", re.ASCII)


def read(root: Path) -> Reading:
    """Read the list of labels.

    Args:
        root: the folder that holds ``basic``, or ``basic`` itself.

    Returns:
        One row a picture; ``clip`` begins with the official part (train or test).

    Raises:
        AnnotationError: the list or the pictures are absent, or a line has another form.
    """
    place = root if (root / "EmoLabel").is_dir() else first_folder(root, ("basic",), TREE)
    table = next(
        (place / "EmoLabel" / n for n in LISTS if (place / "EmoLabel" / n).is_file()), None
    )
    if table is None:
        raise AnnotationError(f"{place}: expected EmoLabel/{LISTS[0]} in the tree\n{TREE}")
    pictures, tree = find_tree(place, TREES, "auto", TREE)
    suffix = "_aligned" if tree == "aligned" else ""
    rows = []
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
        rows.append(
            {
                "row": number,
                "database": NAME,
                "subject": "unknown",
                "clip": match[1],
                "path": require_inside(
                    pictures / f"{match[1]}{suffix}.{match[2]}", root, f"{table}: line {number}"
                ),
                "emotion": EMOTIONS[int(match[3]) - 1],
            }
        )
    warnings = ["no subjects are known: nothing can be divided by subject"]
    return Reading(table, rows, TREE, edition=f"basic, {tree}", warnings=warnings)


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
    # train and test parts, as the release's own page gives them
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
