"""MEGC 2019 composite (See et al., FG 2019): 442 clips of SMIC-HS, CASME II and SAMM in 3 classes.

The challenge's table names the clips and their class; their frames are those of the three
databases, which must be present. A folder beside the table's comes before the other data roots.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mer_keras.databases.entry import Database
from mer_keras.databases.folders import find_table
from mer_keras.databases.readers import casme2, samm, smic
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import Row, listed_rows, rows_without_header
from mer_keras.databases.workbook import Cell, read_csv
from mer_keras.errors import AnnotationError, DatabaseNotFoundError, did_you_mean

NAME = "megc2019"
TABLES = ("combined_3class_gt.csv",)
CLASSES = ("negative", "positive", "surprise")
TREE = """MEGC2019/
  combined_3class_gt.csv    database,subject,clip,label (0 negative, 1 positive, 2 surprise)
and beside it, or in another folder of MER_DATA, the databases CASME2, SAMM and SMIC"""

_COLUMNS = ("database", "subject", "clip", "label")
_SPELLINGS = {"casme2": casme2, "casmeii": casme2, "samm": samm, "smic": smic, "smichs": smic}
_DATABASES: Mapping[str, Database] = {m.NAME: m.DATABASE for m in (casme2, samm, smic)}
#: finds a database's folder: (its entry, folder to look into first) -> root or None
Find = Callable[[Database, Path], Path | None]


def reader(find: Find) -> Callable[[Path], Reading]:
    """Return the reader, which finds the three databases by ``find``."""
    return lambda root: read(root, find)


def read(root: Path, find: Find) -> Reading:
    """Read the challenge's table and join it with the three databases' own.

    Subjects and clips are compared in normalised form: the table writes SAMM's subjects without
    their zeros and SMIC's clips with them.

    Args:
        root: the folder that holds the table.
        find: where the databases are.

    Returns:
        One row a clip, with the frame numbers and folder of its own database and the challenge's
        class as ``emotion``. The apex of SMIC is empty.

    Raises:
        AnnotationError: the table is absent or breaks its format, or names a clip that its
            database doesn't have.
        DatabaseNotFoundError: one of the databases isn't there.
    """
    table, warnings = find_table(root, TABLES, "combined*3class*.csv")
    lines = rows_without_header(read_csv(table), _COLUMNS, table)
    parts = {name: _index(name, find, root.parent) for name in _DATABASES}
    rows, unknown = [], []
    for line in lines:
        name = _database(line)
        key, emotion = _key(name, line), _class(line)
        own = parts[name].get(key)
        if own is None:
            unknown.append((line.number, name))
            continue
        rows.append({**own, "row": line.number, "emotion": emotion})
    if unknown:
        raise AnnotationError(
            f"{table}: {listed_rows([number for number, _ in unknown])} name(s) clips that "
            f"{', '.join(sorted({name for _, name in unknown}))} doesn't have: expected the "
            "challenge's own table and the complete databases; check both"
        )
    return Reading(table, rows, TREE, edition=table.name, warnings=warnings)


def _index(name: str, find: Find, beside: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    entry = _DATABASES[name]
    place = find(entry, beside)
    if place is None:
        raise DatabaseNotFoundError(
            f"database {name!r} not found, which {NAME} takes its frames from; put it beside the "
            f"challenge's table or under MER_DATA: mer-keras data howto {name}"
        )
    reading = entry.reader(place)
    return {
        (str(row["subject"]), str(row["clip"])): {**row, "tree": reading.frames}
        for row in reading.rows
    }


def _database(line: Row) -> str:
    text = line.required_text("database")
    plain = "".join(c for c in text.lower() if c.isalnum())
    if plain not in _SPELLINGS:
        raise AnnotationError(
            f"{line.where('database')}: {text[:60]!r}{did_you_mean(plain, _SPELLINGS)}, expected "
            f"one of {', '.join(_DATABASES)}; correct the cell"
        )
    return _SPELLINGS[plain].NAME


def _key(name: str, line: Row) -> tuple[str, str]:
    subject: Cell = line.cell("subject")
    clip, where = line.name("clip"), line.where("subject")
    if name == samm.NAME:
        return samm.normalise_subject(subject, where), clip
    if name == casme2.NAME:
        return casme2.normalise_subject(subject, where), clip
    return smic.normalise_subject(line.name("subject")), smic.normalise_clip(clip)


def _class(line: Row) -> str:
    text = line.text("label")
    if text not in ("0", "1", "2"):
        raise AnnotationError(
            f"{line.where('label')}: {text[:60]!r}, expected 0 (negative), 1 (positive) or "
            "2 (surprise); correct the cell"
        )
    return CLASSES[int(text)]
