"""MEGC 2019 composite (See et al., FG 2019): 442 clips of SMIC-HS, CASME II and SAMM in 3 classes.

The challenge's table names the clips and their class; their frames are those of the three
databases, which must be present. A folder beside the table's comes before the other data roots.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import find_table
from mer_keras.databases.locate import find_folder
from mer_keras.databases.readers import casme2, samm, smic
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import TableRow, listed_rows, rows_without_header
from mer_keras.databases.workbook import Cell
from mer_keras.errors import AnnotationError, DatabaseNotFoundError, did_you_mean

NAME = "megc2019"
TABLES = ("combined_3class_gt.csv",)
CLASSES = ("negative", "positive", "surprise")

_COLUMNS = ("database", "subject", "clip", "label")
_SPELLINGS = {"casme2": casme2, "casmeii": casme2, "samm": samm, "smic": smic, "smichs": smic}
_DATABASES: Mapping[str, Database] = {m.NAME: m.DATABASE for m in (casme2, samm, smic)}


def read(root: Path) -> Reading:
    """Read the challenge's table and join it with the three databases' own.

    Subjects and clips are compared in normalised form: the table writes SAMM's subjects without
    their zeros and SMIC's clips with them. Each database is looked for beside the table's folder
    first, then under the data roots.

    Args:
        root: the folder that holds the table.

    Returns:
        One annotation a clip, with the frame numbers and folder of its own database and the
        challenge's class as ``emotion``. The apex of SMIC is not annotated.

    Raises:
        AnnotationError: the table is absent or breaks its format, or names a clip that its
            database doesn't have.
        DatabaseNotFoundError: one of the databases isn't there.
    """
    table, warnings = find_table(root, TABLES, "combined*3class*.csv")
    rows = rows_without_header(read_csv(table), _COLUMNS, table)
    parts = {name: _clips_of(name, root.parent) for name in _DATABASES}
    clips, unknown = [], []
    for row in rows:
        name = _database(row)
        key, emotion = _key(name, row), _class(row)
        clip = parts[name].get(key)
        if clip is None:
            unknown.append((row.number, name))
            continue
        clips.append(replace(clip, row=row.number, emotion=emotion))
    if unknown:
        raise AnnotationError(
            f"{table}: {listed_rows([number for number, _ in unknown])} name(s) clips that "
            f"{', '.join(sorted({name for _, name in unknown}))} doesn't have: expected the "
            "challenge's own table and the complete databases; check both"
        )
    return Reading(table, clips, DATABASE.tree, edition=table.name, warnings=warnings)


def _clips_of(name: str, beside: Path) -> dict[tuple[str, str], ClipAnnotation]:
    """Return (subject, clip) -> annotation of one of the three databases."""
    database = _DATABASES[name]
    folder = find_folder(database, beside)
    if folder is None:
        raise DatabaseNotFoundError(
            f"database {name!r} not found, which {NAME} takes its frames from; put it beside the "
            f"challenge's table or under MER_DATA: mer-keras data howto {name}"
        )
    reading = database.reader(folder)
    return {
        (clip.subject, clip.clip): replace(clip, frame_source=reading.frame_source)
        for clip in reading.clips
    }


def _database(row: TableRow) -> str:
    text = row.required_text("database")
    plain = "".join(c for c in text.lower() if c.isalnum())
    if plain not in _SPELLINGS:
        raise AnnotationError(
            f"{row.where('database')}: {text[:60]!r}{did_you_mean(plain, _SPELLINGS)}, expected "
            f"one of {', '.join(_DATABASES)}; correct the cell"
        )
    return _SPELLINGS[plain].NAME


def _key(name: str, row: TableRow) -> tuple[str, str]:
    """Return subject and clip in the form of their own database."""
    subject: Cell = row.cell("subject")
    clip, where = row.name("clip"), row.where("subject")
    if name == samm.NAME:
        return samm.normalise_subject(subject, where), clip
    if name == casme2.NAME:
        return casme2.normalise_subject(subject, where), clip
    return smic.normalise_subject(row.name("subject")), smic.normalise_clip(clip)


def _class(row: TableRow) -> str:
    text = row.text("label")
    if text not in ("0", "1", "2"):
        raise AnnotationError(
            f"{row.where('label')}: {text[:60]!r}, expected 0 (negative), 1 (positive) or "
            "2 (surprise); correct the cell"
        )
    return CLASSES[int(text)]


DATABASE = describe(NAME, read, Database)
