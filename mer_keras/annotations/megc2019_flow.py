"""MEGC 2019 composite set as optical flow: 442 clips of SMIC-HS, CASME II and SAMM, 68 subjects.

One 28x28 image a clip, made by its publishers from the onset and the apex frame: horizontal flow,
vertical flow and optical strain as the three channels, each scaled to 0..255. ``samples.csv`` lists
them; its emotions already are the three classes of the challenge.
"""

import csv
import io
from pathlib import Path

from mer_keras.annotations import samm
from mer_keras.annotations.folders import require_inside
from mer_keras.annotations.samples import Samples, make_samples
from mer_keras.annotations.tables import Row, check_name, table_rows
from mer_keras.annotations.workbook import MAX_ROWS, Cell, clean_cell, read_limited
from mer_keras.errors import AnnotationError, did_you_mean
from mer_keras.terms import DataKind

NAME = "megc2019_flow"
DATABASES = ("casme2", "samm", "smic")
TABLE = "samples.csv"
TREE = """megc2019_flow/
  samples.csv    database,subject,clip,emotion,image
  images/casme2_sub01_EP02_01f.png    28x28x3: u, v, strain"""

_COLUMNS = dict.fromkeys(("database", "subject", "clip", "emotion", "image"), ())


def read(root: Path, data_kind: DataKind) -> Samples:
    """Read the table; a sample's ``path`` is its image.

    Args:
        root: the folder that holds ``samples.csv``.
        data_kind: of the images in it.

    Returns:
        One row a clip, ``database`` as in the table; no frame numbers.

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format, or an image is
            absent.
    """
    table = root / TABLE
    rows, remarks = table_rows(_read_csv(table), _COLUMNS, table)
    records = []
    for row in rows:
        database = row.required_text("database")
        if database not in DATABASES:
            raise AnnotationError(
                f"{row.where('database')}: {database[:60]!r}{did_you_mean(database, DATABASES)}, "
                f"expected one of {', '.join(DATABASES)}; correct the cell"
            )
        subject = row.name("subject")
        if database == samm.NAME:
            # tables of the challenge write SAMM's subjects without their zeros: they are the same
            subject = samm.normalise_subject(subject, row.where("subject"))
        records.append(
            {
                "database": database,
                "subject": subject,
                "clip": row.name("clip"),
                "path": _image(root, row),
                "emotion": row.required_text("emotion").lower(),
                "data_kind": data_kind,
            }
        )
    return make_samples(records, source=str(table), warnings=remarks)


def _read_csv(path: Path) -> list[list[Cell]]:
    try:
        text = read_limited(path).decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(
            f"{path}: not a table of comma-separated values in UTF-8 ({error}): "
            "use the file that came with the images"
        ) from error
    if len(lines) > MAX_ROWS:
        raise AnnotationError(f"{path}: {len(lines):,} rows, expected at most {MAX_ROWS:,}")
    return [[clean_cell(value) for value in line] for line in lines]


def _image(root: Path, row: Row) -> Path:
    where, text = row.where("image"), row.required_text("image")
    for part in text.split("/"):
        check_name(part, where)
    path = require_inside(root / text, root, where)
    if not path.is_file():
        raise AnnotationError(
            f"{where}: the image {path} is absent: expected the tree\n{TREE}\n"
            "copy the images again, or remove the row"
        )
    return path
