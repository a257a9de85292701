"""A user's own data: one CSV file that lists clips.

Columns ``sample``, ``subject``, ``path`` and ``emotion`` are needed; ``onset``, ``apex`` and
``offset`` (frame numbers, both ends inclusive), ``fps`` and ``action_units`` may be left out or
empty. ``path`` is a folder of numbered images, one image, or a video, below the folder of the CSV
file; frames of a video count from 0.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mer_keras.databases.entry import Database
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import (
    Row,
    as_whole_number,
    listed_rows,
    parse_frame_number,
    table_rows,
)
from mer_keras.databases.workbook import read_csv
from mer_keras.errors import AnnotationError

TABLE = "clips.csv"
TREE = """<folder>/
  clips.csv    sample,subject,path,onset,apex,offset,emotion,fps
  any/clip/    numbered images, or any/clip.mp4"""

_COLUMNS = {
    "sample": ("clip", "sample_id"),
    "subject": (),
    "path": ("frames", "video", "folder"),
    "emotion": ("label",),
}
_OPTIONAL = dict.fromkeys(("onset", "apex", "offset", "fps"), ()) | {"action_units": ("au",)}
_MAX_FPS = 100_000


def read(root: Path, name: str, table_name: str = TABLE) -> Reading:
    """Read the list of clips.

    Args:
        root: the folder that holds it.
        name: what the user calls the database.
        table_name: the CSV file.

    Returns:
        One row a clip; frame numbers and frame rate are empty where the list doesn't give them.

    Raises:
        AnnotationError: the file is absent or breaks its format, or lists frames twice.
    """
    table = root / table_name
    lines, remarks = table_rows(read_csv(table), _COLUMNS, table, _OPTIONAL)
    rows: list[dict[str, Any]] = [
        {
            "row": line.number,
            "database": name,
            "subject": line.name("subject"),
            "clip": line.name("sample"),
            "path": line.path("path", root),
            **{
                mark: parse_frame_number(line.cell(mark), line.where(mark))
                for mark in ("onset", "apex", "offset")
            },
            "fps": _fps(line),
            "emotion": line.required_text("emotion").lower(),
            "action_units": line.text("action_units"),
        }
        for line in lines
    ]
    remarks += _unite_subjects(rows, table)
    _require_other_frames(rows, table)
    return Reading(table, rows, TREE, edition=table.name, warnings=remarks)


def database(name: str, root: Path, table_name: str = TABLE) -> Database:
    """Return the entry of a user's own database."""
    return Database(
        name=name,
        title=f"{name} (own data)",
        folders=(),
        reader=lambda place: read(place, name, table_name),
        whom_to_ask="Your own: listed by a CSV file that was added with mer-keras data add.",
        tree=TREE,
        place=root,
    )


def _unite_subjects(rows: Sequence[dict[str, Any]], table: Path) -> list[str]:
    """Give a person one name; left apart, 6 and 06 could be trained on and tested.

    The first way of writing it stands. Names that differ in case are left as they are.
    """
    names: dict[int | str, str] = {}
    changed = []
    for row in rows:
        number = as_whole_number(row["subject"])
        key = unicodedata.normalize("NFC", row["subject"]) if number is None else number
        name = names.setdefault(key, row["subject"])
        if name != row["subject"]:
            row["subject"] = name
            changed.append(row["row"])
    if not changed:
        return []
    return [
        f"{table.name}: a subject is written in another way than above in {listed_rows(changed)}; "
        "taken for the same person"
    ]


def _require_other_frames(rows: Sequence[dict[str, Any]], table: Path) -> None:
    """Refuse a clip under two names: two people, or two folds, would have it."""
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        first = seen.setdefault((row["path"].resolve(), row["onset"], row["offset"]), row)
        # one name twice is what the samples table refuses
        if first is not row and any(first[key] != row[key] for key in ("subject", "clip")):
            raise AnnotationError(
                f"{table}: two rows for clip {row['path']}: rows {first['row']} and {row['row']} "
                "name the same frames; correct the path or the frame numbers, or remove one row"
            )


def _fps(line: Row) -> float | None:
    text = line.text("fps")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _MAX_FPS:
        raise AnnotationError(
            f"{line.where('fps')}: {text[:60]!r}, expected frames a second above 0; correct the "
            "cell or leave it empty"
        )
    return value
