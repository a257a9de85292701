"""CASME (Yan et al., FG 2013).

60 frames a second; 195 clips are described, tables of 193 and 189 rows are in use. Two cameras:
section A 1280x720, section B 640x480. The apex is coded as a stretch of frames; its first one is
taken.
"""

from pathlib import Path

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_frames
from mer_keras.databases.readers.casme2 import normalise_subject
from mer_keras.databases.readers.coding import CodingTable, LocatedClip, clips_below
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow

NAME = "casme"
FPS = 60.0
WORKBOOKS = ("CASME.xlsx", "CASME-coded-20190721.xlsx")
FRAME_SOURCES = {
    "cropped": ("Cropped", "CASME_cropped"),
    "raw": ("CASME_raw_selected", "CASME_raw", "raw"),
}
TREE = """CASME/
  CASME.xlsx   (or CASME-coded-20190721.xls, saved as .xlsx)
  Cropped/sub01/EP01_12/reg_EP01_12-73.jpg          cropped faces, and/or
  CASME_raw_selected/sub01/EP01_12/EP01_12-73.jpg   the camera's pictures"""

_CODING = CodingTable(
    database=NAME,
    fps=FPS,
    workbooks=WORKBOOKS,
    pattern="casme*.xlsx",
    tree=TREE,
    onset="OnsetF",
    apex="ApexF1",
    offset="OffsetF",
    emotion="Emotion",
    others={
        "OnsetF": ("OnsetFrame",),
        "ApexF1": ("ApexF", "ApexFrame", "Apex"),
        "OffsetF": ("OffsetFrame",),
        "Emotion": ("Estimated Emotion",),
    },
    required={"Subject": ()},
)


def read(root: Path, frame_source: str = "auto") -> Reading:
    """Read the table and find each clip's folder.

    Args:
        root: the folder that holds the table and the folders of frames.
        frame_source: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One row a clip (see ``coding.CodingTable.read``); subjects are ``sub01`` whatever the table
        writes.

    Raises:
        AnnotationError: the table or the frames are absent, unreadable or breaks its format.
    """
    frames, chosen = find_frames(root, FRAME_SOURCES, frame_source, TREE)

    def locate(row: TableRow) -> LocatedClip:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        clip = row.name("Filename")
        return LocatedClip(subject, clip, frames / subject / clip)

    return _CODING.read(root, locate, clips_below(frames), frame_source=chosen, release=frames.name)


DATABASE = Database(
    name=NAME,
    title="CASME",
    folders=("CASME",),
    reader=read,
    whom_to_ask=(
        "Institute of Psychology, Chinese Academy of Sciences (X. Fu): sign the licence agreement\n"
        "at http://casme.psych.ac.cn/casme/e1 and send it as described there."
    ),
    tree=TREE,
    frame_sources=tuple(FRAME_SOURCES),
)
