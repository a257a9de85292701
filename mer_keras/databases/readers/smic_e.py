"""SMIC-E, the extended SMIC (Li et al., FG 2013): micro-expressions within longer clips.

Three cameras filmed the same people: HS (100 frames a second), VIS and NIR (25). The workbook's
sheets HS and VIS were compared with a copy of the real one; some of its rows hold a second
expression, which is a clip of its own (``s01_ne_01@2``). The folders below ``HS_long`` are from
memory, as is all of NIR: clips are found by their names, wherever they stand. People keep the
names that they have in SMIC-HS (``smic/s01``).
"""

import os
import re
from functools import partial
from pathlib import Path

from mer_keras.databases.cells import parse_frame_number
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import find_table, first_folder
from mer_keras.databases.links import require_inside
from mer_keras.databases.readers import smic
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import TableRow, table_rows
from mer_keras.databases.workbook import read_sheet
from mer_keras.errors import AnnotationError

#: Camera -> frames a second.
CAMERAS = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
#: Part of a clip's name -> emotion, where the table's cell is empty.
CODES = {"ne": "negative", "po": "positive", "sur": "surprise"}

_COLUMNS = {
    "Subject": (),
    "Filename": (),
    "OnsetF": ("Onset", "Onset1F"),
    "OffsetF": ("Offset", "Offset1F"),
}
_OPTIONAL = {"Onset2F": ("Onset2",), "Offset2F": ("Offset2",), "Emotion": ()}
_CLIP = re.compile(r"s[0-9]{1,2}_[a-z]+_[0-9]+", re.IGNORECASE | re.ASCII)
#: Clip folders lie at most so deep below their camera's folder.
_DEPTH = 5


def read(root: Path, camera: str) -> Reading:
    """Read a camera's sheet and find each clip's folder.

    Args:
        root: the folder that holds the workbook and the cameras' folders, in it or further below.
        camera: a key of ``CAMERAS``.

    Returns:
        One annotation an expression. Onset and offset lie within the clip's frames; nobody
        annotated an apex.

    Raises:
        AnnotationError: the workbook, its sheet or the frames are absent, or break their format.
    """
    database = _DATABASES[camera]
    official = [f"SMIC-{camera}-E_annotation{end}.xlsx" for end in ("_2019", "")]
    official += ["SMIC-HS-E_annotation_2019.xlsx", "SMIC-HS-E_annotation.xlsx"]
    table, warnings = find_table(root, official, "smic*annotation*.xlsx")
    frames = first_folder(
        root, (f"{camera}_long", f"SMIC-{camera}-E", f"SMIC_{camera}_E"), database.tree
    )
    folders = _clip_folders(frames)
    rows, notes = table_rows(read_sheet(table, camera), _COLUMNS, table, _OPTIONAL)
    clips = []
    for row in rows:
        clip = smic.normalise_clip(row.name("Filename"))
        folder = folders.get(clip.lower(), frames / clip)
        path = require_inside(folder, root, row.where("Filename"))
        for number in (1, 2):
            span = _span(row, number)
            if span is not None:
                clips.append(
                    ClipAnnotation(
                        smic.NAME,
                        smic.normalise_subject(_subject(row)),
                        f"{camera}_{clip}" + ("" if number == 1 else f"@{number}"),
                        path,
                        _emotion(row, clip),
                        row=row.number,
                        onset=span[0],
                        offset=span[1],
                        fps=CAMERAS[camera],
                    )
                )
    unread = len(folders.keys() - {clip.path.name.lower() for clip in clips} - _names(rows))
    if unread:
        warnings.append(f"{unread} clip folder(s) have no row in {table.name}")
    return Reading(
        table,
        clips,
        database.tree,
        edition=f"{table.name}, {frames.name}",
        frame_source="raw",
        warnings=warnings + notes,
    )


def _names(rows: list[TableRow]) -> set[str]:
    return {smic.normalise_clip(row.name("Filename")).lower() for row in rows}


def _clip_folders(frames: Path) -> dict[str, Path]:
    """Return the clips' folders by normalised name in lower case, wherever they stand."""
    folders: dict[str, Path] = {}
    for place, inside, _ in os.walk(frames):
        for name in sorted(inside):
            if _CLIP.fullmatch(name):
                folders.setdefault(smic.normalise_clip(name).lower(), Path(place) / name)
        depth = len(Path(place).relative_to(frames).parts)
        inside[:] = [n for n in inside if depth < _DEPTH and not _CLIP.fullmatch(n)]
    return folders


def _span(row: TableRow, number: int) -> tuple[int, int] | None:
    """Return onset and offset of a row's first or second expression; None without a second."""
    onset, offset = ("OnsetF", "OffsetF") if number == 1 else ("Onset2F", "Offset2F")
    marks = [parse_frame_number(row.cell(name), row.where(name)) for name in (onset, offset)]
    # Where there is no second expression, the cells are empty or 0.
    if number == 2 and not all(marks):
        return None
    if marks[0] is None or marks[1] is None:
        raise AnnotationError(
            f"{row.where(onset)}: empty, expected the first frame of the expression; fill it in"
        )
    return marks[0], marks[1]


def _subject(row: TableRow) -> str:
    """Return a subject as SMIC's folders are called: 1, "s1" and "s01" are one person."""
    text = row.name("Subject")
    return f"s{text}" if text.isdigit() else text


def _emotion(row: TableRow, clip: str) -> str:
    text = row.text("Emotion").lower() or clip.split("_")[1].lower()
    emotion = CODES.get(text, text)
    if emotion not in smic.EMOTIONS:
        raise AnnotationError(
            f"{row.where('Emotion')}: {text[:60]!r}, expected one of {', '.join(smic.EMOTIONS)}; "
            "correct the cell"
        )
    return emotion


_DATABASES = {
    camera: describe(f"smic_e_{camera.lower()}", partial(read, camera=camera), Database)
    for camera in CAMERAS
}
DATABASES = tuple(_DATABASES.values())
