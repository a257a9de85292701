"""A user's own data: one CSV file that lists clips.

Columns ``sample``, ``subject``, ``path`` and ``emotion`` are needed; ``onset``, ``apex`` and
``offset`` (frame numbers, both ends inclusive), ``fps`` and ``action_units`` may be left out or
empty. ``path`` is a folder of numbered images, one image, or a video, below the folder of the CSV
file; frames of a video count from 0.
"""

from pathlib import Path

from mer_keras.annotations.entry import Database
from mer_keras.annotations.samples import Reading
from mer_keras.annotations.tables import Row, parse_frame_number, table_rows
from mer_keras.annotations.workbook import read_csv
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
        AnnotationError: the file is absent or breaks its format.
    """
    table = root / table_name
    lines, remarks = table_rows(read_csv(table), _COLUMNS, table, _OPTIONAL)
    rows = [
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
