"""SAMM: spontaneous micro-facial movements (Davison et al., IEEE Trans. Affective Computing 2018).

200 frames a second; 159 clips of 29 subjects in the table. Frame numbers are those of the long
recordings, in the table as in the file names. The table's header follows some rows of text.
"""

from pathlib import Path

from mer_keras.databases.cells import as_whole_number
from mer_keras.databases.entry import describe
from mer_keras.databases.folders import look_through, subfolders
from mer_keras.databases.readers.coding import CodedDatabase, LocatedClip, folders_by_number
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow
from mer_keras.databases.workbook import Cell
from mer_keras.errors import AnnotationError

NAME = "samm"

#: Pattern of a subject's folder; its group is the number.
_SUBJECT_FOLDER = r"([0-9]{1,3})"


def read(root: Path) -> Reading:
    """Read the table and find each clip's folder.

    Args:
        root: the folder that holds the table and one folder a subject.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``), with its objective class.

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format.
    """
    frames = look_through(root, _SUBJECT_FOLDER)
    folder_of = folders_by_number(frames, _SUBJECT_FOLDER)

    def locate(row: TableRow) -> LocatedClip:
        subject = normalise_subject(row.cell("Subject"), row.where("Subject"))
        clip = row.name("Filename")
        objective_class = row.objective_class("Objective Classes")
        folder = folder_of.get(int(subject), frames / subject)
        return LocatedClip(subject, clip, folder / clip, objective_class)

    present = [clip for subject in folder_of.values() for clip in subfolders(subject)]
    return DATABASE.read_table(root, locate, present)


def normalise_subject(value: Cell, where: str) -> str:
    """Return a subject as its folder is called: 6, 6.0, "6" and "006" are all ``"006"``.

    Args:
        value: the cell.
        where: names the cell, for errors.

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


DATABASE = describe(NAME, read, CodedDatabase)
