"""CAS(ME)^3, part A (Li et al., IEEE Trans. PAMI 2023): micro-expressions in long recordings.

The table (sheet ``label``) was compared with a copy of the real one: 860 rows, numbers stored as
text, 588 of them with a name that stands more than once for its subject, two offsets of 0. Its
file name, the folders of the frames and the 30 frames a second are from memory: compare with your
copy.
"""

from pathlib import Path

from mer_keras.databases.entry import describe
from mer_keras.databases.readers.coding import (
    CodedDatabase,
    LocatedClip,
    first_existing,
    subject_folders,
)
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow
from mer_keras.errors import AnnotationError

NAME = "cas_me3"
UNVERIFIED = "the folders of CAS(ME)^3 are from memory: compare the counts with your copy"

_SUBJECT = r"spNO\.[0-9]{1,3}"
#: The colour frames of a recording stand in this folder, beside those of depth.
_COLOUR = "color"


def read(root: Path) -> Reading:
    """Read the table and find each clip's recording.

    Clips of one name are told apart by their onset (``a@1234``).

    Args:
        root: the folder that holds the table and the subjects' folders, in it or further below.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``), with its objective class where it is one
        of 1 to 7.

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format.
    """
    folders = subject_folders(root, _SUBJECT)

    def locate(row: TableRow) -> LocatedClip:
        subject, clip = row.name("Subject"), row.name("Filename")
        recording = first_existing(folders.get(subject.lower(), ()), clip)
        if recording is None:
            recording = root / subject / clip
        colour = recording / _COLOUR
        folder = colour if colour.is_dir() else recording
        return LocatedClip(subject, clip, folder, _objective_class(row))

    return DATABASE.read_table(root, locate, [], remarks=lambda _: [UNVERIFIED])


def _objective_class(row: TableRow) -> int | None:
    """Return the objective class; None where the cell says that it is none of 1 to 7."""
    try:
        return row.objective_class("Objective class")
    except AnnotationError:
        return None


DATABASE = describe(NAME, read, CodedDatabase)
