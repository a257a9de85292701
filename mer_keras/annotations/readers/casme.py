"""CASME (Yan et al., FG 2013).

60 frames a second; 195 clips are described, tables of 193 and 189 rows are in use. Two cameras:
section A 1280x720, section B 640x480. The apex is coded as a stretch of frames; its first one is
taken.
"""

from pathlib import Path

from mer_keras.annotations.entry import Database
from mer_keras.annotations.folders import (
    find_table,
    find_tree,
    require_inside,
    subfolders,
    unlisted_warnings,
)
from mer_keras.annotations.readers.casme2 import normalise_subject
from mer_keras.annotations.samples import Reading
from mer_keras.annotations.tables import span_warnings, table_rows
from mer_keras.annotations.workbook import read_sheet

NAME = "casme"
FPS = 60.0
WORKBOOKS = ("CASME.xlsx", "CASME-coded-20190721.xlsx")
TREES = {
    "cropped": ("Cropped", "CASME_cropped"),
    "raw": ("CASME_raw_selected", "CASME_raw", "raw"),
}
TREE = """CASME/
  CASME.xlsx   (or CASME-coded-20190721.xls, saved as .xlsx)
  Cropped/sub01/EP01_12/reg_EP01_12-73.jpg          cropped faces, and/or
  CASME_raw_selected/sub01/EP01_12/EP01_12-73.jpg   the camera's pictures"""

_COLUMNS = {
    "Subject": (),
    "Filename": (),
    "OnsetF": ("OnsetFrame", "Onset Frame"),
    "ApexF1": ("ApexF", "ApexFrame", "Apex"),
    "OffsetF": ("OffsetFrame", "Offset Frame"),
    "Emotion": ("Estimated Emotion",),
}
_OPTIONAL = {"AUs": ("AU", "Action Units", "Action Unit")}


def read(root: Path, tree: str = "auto") -> Reading:
    """Read the table and find each clip's folder.

    Args:
        root: the folder that holds the table and the frame trees.
        tree: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One row a clip; subjects are ``sub01`` whatever the table writes.

    Raises:
        AnnotationError: the table or tree is absent, unreadable or breaks its format.
    """
    table, warnings = find_table(root, WORKBOOKS, "casme*.xlsx")
    lines, remarks = table_rows(read_sheet(table), _COLUMNS, table, _OPTIONAL)
    frames, chosen = find_tree(root, TREES, tree, TREE)
    rows, spans = [], []
    for line in lines:
        subject = normalise_subject(line.cell("Subject"), line.where("Subject"))
        clip = line.name("Filename")
        span = line.span("OnsetF", "ApexF1", "OffsetF")
        spans.append((line, span))
        rows.append(
            {
                "row": line.number,
                "database": NAME,
                "subject": subject,
                "clip": clip,
                "path": require_inside(frames / subject / clip, root, line.where("Filename")),
                **span._asdict(),
                "fps": FPS,
                "emotion": line.required_text("Emotion").lower(),
                "action_units": line.text("AUs"),
            }
        )
    present = [clip for subject in subfolders(frames) for clip in subfolders(subject)]
    warnings += remarks + span_warnings(table, spans)
    warnings += unlisted_warnings(present, [row["path"] for row in rows], table)
    edition = f"{table.name}, {frames.name}"
    return Reading(table, rows, TREE, edition=edition, frames=chosen, warnings=warnings)


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
    trees=tuple(TREES),
)
