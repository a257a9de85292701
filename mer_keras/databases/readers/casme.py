"""CASME (Yan et al., FG 2013).

60 frames a second; 195 clips are described, tables of 193 and 189 rows are in use. Two cameras:
section A 1280x720, section B 640x480. The apex is coded as a stretch of frames; its first one is
taken. Names of real frames are known, but no row of the real table: its columns are as public
loaders read them.
"""

from pathlib import Path

from mer_keras.databases.entry import describe
from mer_keras.databases.folders import find_frames
from mer_keras.databases.readers.casme2 import SUBJECT_FOLDER, normalise_subject
from mer_keras.databases.readers.coding import (
    CodedDatabase,
    LocatedClip,
    clips_below,
    folders_by_number,
)
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow

NAME = "casme"


def read(root: Path, frame_source: str = "auto") -> Reading:
    """Read the table and find each clip's folder.

    Args:
        root: the folder that holds the table and the folders of frames.
        frame_source: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``); subjects are ``sub01`` whatever the table
        writes.

    Raises:
        AnnotationError: the table or the frames are absent, unreadable or breaks its format.
    """
    frames, chosen = find_frames(
        root, DATABASE.frame_sources, frame_source, DATABASE.tree, SUBJECT_FOLDER
    )
    subject_folders = folders_by_number(frames, SUBJECT_FOLDER)

    def locate(row: TableRow) -> LocatedClip:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        clip = row.name("Filename")
        folder = subject_folders.get(int(subject[3:]), frames / subject)
        return LocatedClip(subject, clip, folder / clip)

    return DATABASE.read_table(
        root, locate, clips_below(frames), frame_source=chosen, release=frames.name
    )


DATABASE = describe(NAME, read, CodedDatabase)
