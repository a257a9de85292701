"""A user's own data: one CSV file that lists clips.

Columns ``sample``, ``subject``, ``path`` and ``emotion`` are needed; ``onset``, ``apex`` and
``offset`` (frame numbers, both ends inclusive), ``fps`` and ``action_units`` may be left out or
empty. ``path`` is a folder of numbered images, one image, or a video, below the folder of the CSV
file; frames of a video count from 0.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mer_keras.databases.cells import as_whole_number, parse_frame_number
from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import TableRow, listed_rows, table_rows
from mer_keras.errors import AnnotationError
from mer_keras.terms import DataKind

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
        One annotation a clip; frame numbers and frame rate are None where the list gives none.

    Raises:
        AnnotationError: the file is absent or breaks its format, or lists frames twice.
    """
    table = root / table_name
    rows, remarks = table_rows(read_csv(table), _COLUMNS, table, _OPTIONAL)
    clips = [
        ClipAnnotation(
            name,
            row.name("subject"),
            row.name("sample"),
            row.path("path", root),
            row=row.number,
            onset=parse_frame_number(row.cell("onset"), row.where("onset")),
            apex=parse_frame_number(row.cell("apex"), row.where("apex")),
            offset=parse_frame_number(row.cell("offset"), row.where("offset")),
            fps=_fps(row),
            emotion=row.required_text("emotion").lower(),
            action_units=row.text("action_units"),
        )
        for row in rows
    ]
    clips, renamed = _unite_subjects(clips, table)
    _require_other_frames(clips, table)
    return Reading(table, clips, TREE, edition=table.name, warnings=remarks + renamed)


def database(name: str, root: Path, table_name: str = TABLE) -> Database:
    """Return the entry of a user's own database."""
    return Database(
        name=name,
        title=f"{name} (own data)",
        folders=(),
        reader=lambda folder: read(folder, name, table_name),
        whom_to_ask="Your own: listed by a CSV file that was added with mer-keras data add.",
        tree=TREE,
        default_kind=DataKind.OWN,
        fixed_folder=root,
    )


def _unite_subjects(
    clips: Sequence[ClipAnnotation], table: Path
) -> tuple[list[ClipAnnotation], list[str]]:
    """Give a person one name; left apart, 6 and 06 could be trained on and tested.

    The first way of writing it stands. Names that differ in case are left as they are.
    """
    names: dict[int | str, str] = {}
    united, changed_rows = [], []
    for clip in clips:
        number = as_whole_number(clip.subject)
        key = unicodedata.normalize("NFC", clip.subject) if number is None else number
        name = names.setdefault(key, clip.subject)
        if name != clip.subject:
            changed_rows.append(clip.row or 0)
        united.append(replace(clip, subject=name))
    if not changed_rows:
        return united, []
    return united, [
        f"{table.name}: a subject is written in another way than above in "
        f"{listed_rows(changed_rows)}; taken for the same person"
    ]


def _require_other_frames(clips: Sequence[ClipAnnotation], table: Path) -> None:
    """Refuse a clip under two names: two people, or two folds, would have it."""
    seen: dict[tuple[Path, int | None, int | None], ClipAnnotation] = {}
    for clip in clips:
        first = seen.setdefault((clip.path.resolve(), clip.onset, clip.offset), clip)
        # The samples table itself refuses one name that stands twice.
        if (first.subject, first.clip) != (clip.subject, clip.clip):
            raise AnnotationError(
                f"{table}: two rows for clip {clip.path}: rows {first.row} and {clip.row} "
                "name the same frames; correct the path or the frame numbers, or remove one row"
            )


def _fps(row: TableRow) -> float | None:
    text = row.text("fps")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _MAX_FPS:
        raise AnnotationError(
            f"{row.where('fps')}: {text[:60]!r}, expected frames a second above 0; correct the "
            "cell or leave it empty"
        )
    return value
