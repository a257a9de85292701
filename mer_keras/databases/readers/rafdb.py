"""RAF-DB, basic part (Li, Deng, Du, CVPR 2017): 15,339 faces from the web in seven classes.

Who is in a picture is not known, so nothing can be divided by subject.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from mer_keras.databases.delimited import find_encoding
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import (
    find_file,
    find_frames,
    first_folder,
    has_images,
    near_tables,
    subfolders,
    wrappers,
)
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.workbook import read_limited
from mer_keras.errors import AnnotationError

NAME = "rafdb"
EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
#: The first name is the release's own, misspelt.
LISTS = ("list_patition_label.txt", "list_partition_label.txt")
FRAME_SOURCES = {"aligned": ("Image/aligned",), "original": ("Image/original",)}

_COMPOUND = (
    "this is RAF-DB's compound part (11 classes of mixed emotions), expected the basic part (7 "
    "classes); put the basic part there:"
)
#: Lines of the compound part: names of four digits, eleven classes.
_COMPOUND_LINE = re.compile(r"(?:train|test)_[0-9]{4}\.(?:jpg|png)[\s,;]+[0-9]{1,2}", re.ASCII)
_CLASS_OF_COMPOUND = re.compile(r"[\s,;](?:[89]|1[01])\s*$")
_LINE = re.compile(r"((?:train|test)_[0-9]{1,6})\.(jpg|png)[\s,;]+([1-7])", re.ASCII)


def read(root: Path) -> Reading:
    """Read the list of labels.

    Args:
        root: the folder that holds ``basic``, or ``basic`` itself.

    Returns:
        One annotation a picture; ``clip`` begins with the official part (train or test).

    Raises:
        AnnotationError: the list or the pictures are absent, or a line has another form.
    """
    basic = _basic_part(root)
    table = find_file(basic, LISTS)
    if table is None:
        lying = ", ".join(near_tables(basic)[:10])
        raise AnnotationError(
            f"{basic}: expected EmoLabel/{LISTS[0]}{f': found {lying}' if lying else ''}; the tree "
            f"is\n{DATABASE.tree}"
        )
    content = read_limited(table)
    lines = content.decode(find_encoding(content), "replace").splitlines()
    _require_basic(lines, table)
    pictures, frame_source = find_frames(basic, FRAME_SOURCES, "auto", DATABASE.tree)
    if not has_images(pictures):  # Some archives hold ``aligned/aligned``.
        pictures = next((f for f in subfolders(pictures) if has_images(f)), pictures)
    suffix = "_aligned" if frame_source == "aligned" else ""
    clips = []
    for number, line in enumerate(lines, start=1):
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


def _basic_part(root: Path) -> Path:
    """Return the folder of the basic part.

    Raises:
        AnnotationError: it is absent; the compound part is named where it lies there.
    """
    for folder in wrappers(root):
        names = {inside.name.casefold(): inside for inside in subfolders(folder)}
        if "basic" in names:
            return names["basic"]
        if "emolabel" in names and folder.name.casefold() != "compound":
            return folder
    if any(folder.name.casefold() == "compound" for folder in wrappers(root)):
        raise AnnotationError(f"{root}: {_COMPOUND}\n{DATABASE.tree}")
    return first_folder(root, ("basic",), DATABASE.tree)


def _require_basic(lines: Sequence[str], table: Path) -> None:
    """Refuse the list of the compound part, which has the same name.

    Raises:
        AnnotationError: the list has its form and one of its classes.
    """
    filled = [line.strip() for line in lines if line.strip()]
    of_compound = all(_COMPOUND_LINE.fullmatch(line) for line in filled)
    if filled and of_compound and any(map(_CLASS_OF_COMPOUND.search, filled)):
        raise AnnotationError(f"{table}: {_COMPOUND}\n{DATABASE.tree}")


DATABASE = describe(NAME, read, Database)
