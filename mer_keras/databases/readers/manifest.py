"""A user's own data: a table that lists clips, or a folder of ``<subject>/<emotion>/<clip>``.

The table is a CSV file in any dialect, or the sheet of an .xlsx workbook that has the columns.
``sample``, ``subject``, ``path`` and ``emotion`` are needed; ``onset``, ``apex`` and ``offset``
(frame numbers, both ends inclusive), ``fps`` and ``action_units`` may be left out or empty.
``path`` is a folder of numbered images, one image, or a video, below the folder of the table;
frames of a video count from 0. A clip without an emotion is ``unlabelled``: it can be predicted,
not learned or tested.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mer_keras.databases.cells import as_whole_number, check_name, parse_frame_number
from mer_keras.databases.delimited import LONG_LIST
from mer_keras.databases.entry import Database
from mer_keras.databases.folders import VIDEO_SUFFIXES, file_names, images, subfolders
from mer_keras.databases.labels import LabelScheme
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.sheets import read_table
from mer_keras.databases.tables import TableRow, listed_rows
from mer_keras.errors import AnnotationError
from mer_keras.terms import UNLABELLED, DataKind

TABLE = "clips.csv"
#: Suffixes (lower case) of tables; anything else is a folder.
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
TREE = """<folder>/
  clips.csv    sample,subject,path,onset,apex,offset,emotion,fps (or an .xlsx workbook)
  any/clip/    numbered images, or any/clip.mp4"""
FOLDER_TREE = """<folder>/
  p01/happiness/clip1/1.jpg    <subject>/<emotion>/<clip>/<frame>, or a video in place of a clip's
  p01/unlabelled/clip2.mp4     folder; emotion "unlabelled" where it isn't known"""

_COLUMNS = {
    "sample": ("clip", "sample_id"),
    "subject": (),
    "path": ("frames", "video", "folder"),
    "emotion": ("label",),
}
_REMEDY = f"write it with the columns of\n{TREE}"
_OPTIONAL = dict.fromkeys(("onset", "apex", "offset", "fps"), ()) | {"action_units": ("au",)}


def read(root: Path, name: str, table_name: str = TABLE) -> Reading:
    """Read the list of clips.

    Args:
        root: the folder that holds it.
        name: what the user calls the database.
        table_name: the table.

    Returns:
        One annotation a clip; frame numbers and frame rate are None where the list gives none.

    Raises:
        AnnotationError: the file is absent or breaks its format, or lists frames twice.
    """
    table = root / table_name
    rows, remarks = read_table(table, _COLUMNS, _OPTIONAL, remedy=_REMEDY, limits=LONG_LIST)
    paths: dict[str, Path] = {}
    # What many rows share is one object: a list may have a million rows.
    emotions: dict[str, str] = {}
    numbers: dict[int | None, int | None] = {}
    clips = []
    rows.reverse()
    while rows:
        row = rows.pop()  # It is let go once its clip is made.
        emotion = row.text("emotion").lower() or UNLABELLED
        onset, apex, offset = (
            parse_frame_number(row.cell(name), row.where(name))
            for name in ("onset", "apex", "offset")
        )
        clip = ClipAnnotation(
            name,
            row.name("subject"),
            row.name("sample"),
            _path(row, root, paths),
            row=row.number,
            onset=numbers.setdefault(onset, onset),
            apex=numbers.setdefault(apex, apex),
            offset=numbers.setdefault(offset, offset),
            fps=row.frame_rate("fps"),
            emotion=emotions.setdefault(emotion, emotion),
            action_units=row.text("action_units"),
        )
        clips.append(clip)
    clips, renamed = _unite_subjects(clips, table)
    _require_other_frames(clips, table)
    return Reading(table, clips, TREE, edition=table.name, warnings=remarks + renamed)


def read_folder(root: Path, name: str) -> Reading:
    """Read a folder of ``<subject>/<emotion>/<clip>``; a clip is a folder of images, or a file.

    Args:
        root: the folder.
        name: what the user calls the database.

    Returns:
        One annotation a clip, without frame numbers: it is its whole folder or video.

    Raises:
        AnnotationError: there is no clip.
    """
    clips, strange = [], 0
    for subject in subfolders(root):
        for emotion in subfolders(subject):
            videos = [
                emotion / file
                for file in file_names(emotion, ignore_errors=True)
                if file.lower().endswith(VIDEO_SUFFIXES) and file[0] != "."
            ]
            folders = [folder for folder in subfolders(emotion) if images(folder)]
            strange += len(images(emotion)) > 0
            clips += [
                ClipAnnotation(
                    name,
                    check_name(subject.name, f"{root}: a subject's folder"),
                    check_name(f"{emotion.name}-{clip.name}", f"{subject}: a clip"),
                    require_inside(clip, root, str(emotion)),
                    emotion.name.lower(),
                )
                for clip in sorted([*folders, *videos])
            ]
    if not clips:
        raise AnnotationError(
            f"{root}: no clip in it: expected\n{FOLDER_TREE}\nor a table of clips "
            f"({', '.join(SUFFIXES)}); name that file in place of the folder"
        )
    clips, renamed = _unite_subjects(clips, root)
    remarks = [f"{strange} folder(s) of emotions hold images outside a clip, not read"] * (
        strange > 0
    )
    return Reading(root, clips, FOLDER_TREE, edition="folders", warnings=remarks + renamed)


def database(
    name: str,
    root: Path,
    table_name: str | None = TABLE,
    schemes: tuple[LabelScheme, ...] = (),
) -> Database:
    """Return the entry of a user's own database.

    Args:
        name: what the user calls it.
        root: the folder that holds the table or the clips.
        table_name: the table; None for a folder of ``<subject>/<emotion>/<clip>``.
        schemes: its own classes.
    """
    is_folder = table_name is None
    return Database(
        name=name,
        title=f"{name} (own data)",
        folders=(),
        reader=partial(read_folder, name=name)
        if table_name is None
        else partial(read, name=name, table_name=table_name),
        whom_to_ask=f"Your own: a {'folder' if is_folder else 'table'} that was added with "
        "mer-keras data add.",
        tree=FOLDER_TREE if is_folder else TREE,
        default_kind=DataKind.OWN,
        schemes=schemes,
        fixed_folder=root,
    )


def _path(row: TableRow, root: Path, known: dict[str, Path]) -> Path:
    """Return the path of a row; one that many rows name is checked once."""
    text = row.text("path")
    if text not in known:
        known[text] = row.path("path", root)
    return known[text]


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
        if name == clip.subject:
            united.append(clip)
        else:
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
    seen: dict[tuple[str, int | None, int | None], ClipAnnotation] = {}
    # Most rows of a list have frames of their own, which pandas tells in little memory.
    real_paths = {path: str(path.resolve()) for path in {clip.path for clip in clips}}
    frames = pd.DataFrame(
        {
            "path": pd.Categorical([real_paths[clip.path] for clip in clips]),
            "onset": pd.array([clip.onset for clip in clips], dtype="Int64"),
            "offset": pd.array([clip.offset for clip in clips], dtype="Int64"),
        }
    )
    for index in np.flatnonzero(frames.duplicated(keep=False)).tolist():
        clip = clips[index]
        first = seen.setdefault((real_paths[clip.path], clip.onset, clip.offset), clip)
        # The samples table itself refuses one name that stands twice.
        if (first.subject, first.clip) != (clip.subject, clip.clip):
            raise AnnotationError(
                f"{table}: two rows for clip {clip.path}: rows {first.row} and {clip.row} "
                "name the same frames; correct the path or the frame numbers, or remove one row"
            )
