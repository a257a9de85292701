"""CASME II (Yan et al., PLoS ONE 2014).

200 frames a second; 255 clips of 26 subjects. The camera's pictures and cropped faces
stand under one table. The objective classes by action units stand in a second workbook, or, where
the action units were revised (edition of 2019), in a column of the table itself.
"""

from pathlib import Path

from mer_keras.databases.cells import as_whole_number
from mer_keras.databases.entry import describe
from mer_keras.databases.folders import find_file, find_frames, near_tables
from mer_keras.databases.readers.coding import (
    CodedDatabase,
    LocatedClip,
    clips_below,
    folders_by_number,
)
from mer_keras.databases.samples import Reading
from mer_keras.databases.sheets import read_table
from mer_keras.databases.tables import TableRow, listed_rows
from mer_keras.databases.workbook import Cell
from mer_keras.errors import AnnotationError

NAME = "casme2"
OBJECTIVE_WORKBOOK = "CASME2-ObjectiveClasses.xlsx"
#: Pattern of a subject's folder; its group is the number.
SUBJECT_FOLDER = r"sub0*([0-9]{1,2})"

_UNKNOWN = f"no {OBJECTIVE_WORKBOOK}: objective classes are unknown"
_OBJECTIVE_COLUMNS = {"Subject": (), "Filename": (), "Objective Class": ("Objective Classes",)}


def read(root: Path, frame_source: str = "auto") -> Reading:
    """Read the tables and find each clip's folder.

    The table's own objective classes go before those of the second workbook.

    Args:
        root: the folder that holds the tables and the folders of frames.
        frame_source: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``); subjects are ``sub01`` whatever the table
        writes, the apex ``/`` is empty.

    Raises:
        AnnotationError: a table or the frames are absent, unreadable or breaks its format.
    """
    frames, chosen = find_frames(
        root, DATABASE.frame_sources, frame_source, DATABASE.tree, SUBJECT_FOLDER
    )
    subject_folders = folders_by_number(frames, SUBJECT_FOLDER)
    in_workbook, notes = _objective_classes(root)
    own_column, differing = list[int](), list[int]()

    def locate(row: TableRow) -> LocatedClip:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        clip = row.name("Filename")
        folder = subject_folders.get(int(subject[3:]), frames / subject) / clip
        listed = in_workbook.get((subject, clip))
        objective_class = row.objective_class("Objective Classes")
        if objective_class is None:
            return LocatedClip(subject, clip, folder, listed)
        own_column.append(row.number)
        if listed not in (None, objective_class):
            differing.append(row.number)
        return LocatedClip(subject, clip, folder, objective_class)

    def remarks(table: Path) -> list[str]:
        if not own_column:
            return notes if in_workbook else [*notes, _UNKNOWN]
        lines = [*notes, f"{table.name}: its own objective classes are used"]
        if differing:
            lines.append(f"{OBJECTIVE_WORKBOOK} has other classes in {listed_rows(differing)}")
        return lines

    return DATABASE.read_table(
        root,
        locate,
        clips_below(frames),
        frame_source=chosen,
        release=frames.name,
        remarks=remarks,
    )


def normalise_subject(value: Cell, where: str) -> str:
    """Return a subject as its folder is called: 1, "01" and "sub01" are all ``"sub01"``.

    Args:
        value: the cell.
        where: names the cell, for errors.

    Raises:
        AnnotationError: it is no number from 1 to 99.
    """
    bare = value.lower().removeprefix("sub") if isinstance(value, str) else value
    number = as_whole_number(bare)
    if number is None or not 1 <= number <= 99:
        raise AnnotationError(
            f"{where}: {str(value)[:60]!r}, expected a subject's number such as 01; correct the "
            "cell"
        )
    return f"sub{number:02d}"


def _objective_classes(root: Path) -> tuple[dict[tuple[str, str], int], list[str]]:
    """Return (subject, clip) -> objective class, and remarks; none if the workbook is absent."""
    table = find_file(root, [OBJECTIVE_WORKBOOK])
    if table is None:
        similar = [name for name in near_tables(root) if "objective" in name.casefold()]
        return {}, [f"found {', '.join(similar)}, not {OBJECTIVE_WORKBOOK}"] if similar else []
    rows, remarks = read_table(table, _OBJECTIVE_COLUMNS)
    classes: dict[tuple[str, str], int] = {}
    for row in rows:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        number = row.objective_class("Objective Class")
        if number is not None:
            classes[subject, row.name("Filename")] = number
    return classes, remarks


DATABASE = describe(NAME, read, CodedDatabase)
