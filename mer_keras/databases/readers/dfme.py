"""DFME (Zhao et al., IEEE Trans. Affective Computing 2023): 200, 300 or 500 frames a second.

The three tables were compared with copies of the real ones: 1,856, 474 and 299 rows, frame rate by
clip, frames from 0 on with five digits. The folders of the frames are from memory: compare with
your copy.
"""

from dataclasses import replace
from pathlib import Path

from mer_keras.databases.entry import describe
from mer_keras.databases.folders import find_file, subfolders
from mer_keras.databases.readers.coding import (
    CodedDatabase,
    LocatedClip,
    first_existing,
    subject_folders,
)
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow

NAME = "dfme"
UNVERIFIED = "the folders of DFME are from memory: compare the counts with your copy"

_SUBJECT = r"sub[0-9]{3,4}"


def read(root: Path) -> Reading:
    """Read the tables that are there and find each clip's folder.

    A row of a test part may have no emotion: its clip is ``unlabelled``.

    Args:
        root: the folder that holds the tables and the parts' folders, in it or further below.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``), of all tables that are there.

    Raises:
        AnnotationError: the training table is absent, or one is unreadable or breaks its format.
    """
    folders = subject_folders(root, _SUBJECT)
    present = [clip for same in folders.values() for folder in same for clip in subfolders(folder)]

    def locate(row: TableRow) -> LocatedClip:
        subject, clip = row.name("Subject").lower(), row.name("Filename")
        folder = first_existing(folders.get(subject, ()), clip)
        return LocatedClip(subject, clip, folder or root / subject / clip)

    training = DATABASE.read_table(root, locate, [])
    readings = [training]
    for table in (find_file(root, [name]) for name in DATABASE.test_workbooks):
        if table is not None:
            readings.append(DATABASE.read_table(root, locate, [], table=table))
    clips = [clip for reading in readings for clip in reading.clips]
    used = {clip.path for clip in clips}
    unused = len([folder for folder in present if folder.absolute() not in used])
    return replace(
        training,
        clips=clips,
        edition=", ".join(reading.edition for reading in readings),
        warnings=[
            *(line for reading in readings for line in reading.warnings),
            *([f"{unused} clip folder(s) have no row"] if unused else []),
            UNVERIFIED,
        ],
    )


class Dfme(CodedDatabase):
    """DFME, whose clips stand in several tables.

    Attributes:
        test_workbooks: tables of the test parts, which may be absent.
    """

    test_workbooks: tuple[str, ...]


DATABASE = describe(NAME, read, Dfme)
