"""MEGC 2019 composite set as optical flow: 442 clips of SMIC-HS, CASME II and SAMM, 68 subjects.

One 28x28 image a clip, made by its publishers from the onset and the apex frame: horizontal flow,
vertical flow and optical strain as the three channels, each scaled to 0..255. ``samples.csv`` lists
them; its emotions already are the three classes of the challenge.
"""

from pathlib import Path

from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.readers import samm
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import table_rows
from mer_keras.errors import AnnotationError, did_you_mean

NAME = "megc2019_flow"
DATABASES = ("casme2", "samm", "smic")
TABLE = "samples.csv"

_COLUMNS = dict.fromkeys(("database", "subject", "clip", "emotion", "image"), ())


def read(root: Path) -> Reading:
    """Read the table; a sample's ``path`` is its image.

    Args:
        root: the folder that holds ``samples.csv``.

    Returns:
        One annotation a clip, ``database`` as in the table; no frame numbers.

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format.
    """
    table = root / TABLE
    rows, remarks = table_rows(read_csv(table), _COLUMNS, table)
    clips = []
    for row in rows:
        database = row.required_text("database")
        if database not in DATABASES:
            raise AnnotationError(
                f"{row.where('database')}: {database[:60]!r}{did_you_mean(database, DATABASES)}, "
                f"expected one of {', '.join(DATABASES)}; correct the cell"
            )
        subject = row.name("subject")
        if database == samm.NAME:
            # The challenge's tables write SAMM's subjects without their zeros: they are the same.
            subject = samm.normalise_subject(subject, row.where("subject"))
        clip, path = row.name("clip"), row.path("image", root)
        emotion = row.required_text("emotion").lower()
        clips.append(ClipAnnotation(database, subject, clip, path, emotion, row=row.number))
    return Reading(table, clips, DATABASE.tree, edition=TABLE, warnings=remarks)


DATABASE = describe(NAME, read, Database)
