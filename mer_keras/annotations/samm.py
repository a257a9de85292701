"""SAMM: spontaneous micro-facial movements (Davison et al., IEEE Trans. Affective Computing 2018).

200 frames a second; 159 clips of 29 subjects in the table. Frame numbers are those of the long
recordings, in the table as in the file names. The table's header follows some rows of text.
"""

from pathlib import Path

from mer_keras.annotations.folders import (
    find_table,
    require_images,
    require_inside,
    subfolders,
    unlisted_warnings,
)
from mer_keras.annotations.samples import Samples, make_samples
from mer_keras.annotations.tables import as_whole_number, span_warnings, table_rows
from mer_keras.annotations.workbook import Cell, read_sheet
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind

NAME = "samm"
FPS = 200.0
WORKBOOKS = ("SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM_20181215_Micro_FACS_Codes_v2.xlsx")
TREE = """SAMM/
  SAMM_Micro_FACS_Codes_v2.xlsx   (or SAMM_20181215_Micro_FACS_Codes_v2.xlsx)
  006/006_1_2/006_05562.jpg       <subject>/<clip>/<subject>_<frame>.jpg"""

_COLUMNS = {
    "Subject": (),
    "Filename": (),
    "Onset Frame": ("Onset",),
    "Apex Frame": ("Apex",),
    "Offset Frame": ("Offset",),
    "Estimated Emotion": ("Emotion",),
}
_OPTIONAL = {"Action Units": ("Action Unit", "AU", "AUs")}


def read(root: Path, data_kind: DataKind) -> Samples:
    """Read the table and find each clip's folder.

    Args:
        root: the folder that holds the table and one folder a subject.
        data_kind: of the frames in it.

    Returns:
        One row a clip. Emotions are in lower case; a missing apex is empty, with a warning.

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format, or a clip has no
            frames.
    """
    table, warnings = find_table(root, WORKBOOKS, "samm*facs*.xlsx")
    rows, remarks = table_rows(read_sheet(table), _COLUMNS, table, _OPTIONAL)
    records, spans, folders = [], [], []
    for row in rows:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        clip = row.name("Filename")
        span = row.span("Onset Frame", "Apex Frame", "Offset Frame")
        folder = require_inside(root / subject / clip, root, row.where("Filename"))
        spans.append((row, span))
        folders.append(folder)
        records.append(
            {
                "database": NAME,
                "subject": subject,
                "clip": clip,
                "path": folder,
                **span._asdict(),
                "fps": FPS,
                "emotion": row.required_text("Estimated Emotion").lower(),
                "action_units": row.text("Action Units"),
                "data_kind": data_kind,
            }
        )
    # first the table's own faults (a clip that stands twice, frames out of order), then the disk's
    samples = make_samples(records, source=str(table))
    require_images(folders, table, f"the tree\n{TREE}\n")
    subjects = [folder for folder in subfolders(root) if folder.name.isdigit()]
    present = [clip for subject in subjects for clip in subfolders(subject)]
    warnings += remarks + span_warnings(table, spans) + unlisted_warnings(present, folders, table)
    return Samples(samples.table, warnings=tuple(warnings))


def normalise_subject(value: Cell, where: str) -> str:
    """Return a subject as its folder is called: 6, 6.0, "6" and "006" are all ``"006"``.

    Args:
        value: the cell.
        where: says which cell it is, for errors.

    Raises:
        AnnotationError: it is no number from 1 to 999.
    """
    number = as_whole_number(value)
    if number is None or not 1 <= number <= 999:
        raise AnnotationError(
            f"{where}: {str(value)[:60]!r}, expected a subject's number of up to three digits, "
            "such as 006; correct the cell"
        )
    return f"{number:03d}"
