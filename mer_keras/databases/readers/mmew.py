"""MMEW: micro- and macro-expression warehouse (Ben et al., IEEE Trans. PAMI 2021).

90 frames a second; 300 micro-expression clips of 36 subjects. The frames of a clip are numbered
from 1, and the table's frame numbers are taken in that numbering. The macro-expressions beside
them are a database of their own (``mmew_macro``). Names of real clips are known, but no row of the
real table: its columns are as public loaders read them.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mer_keras.databases.entry import describe
from mer_keras.databases.folders import first_folder, subfolders
from mer_keras.databases.readers.coding import CodedDatabase, LocatedClip
from mer_keras.databases.samples import Reading
from mer_keras.databases.tables import TableRow, listed_rows
from mer_keras.errors import AnnotationError

NAME = "mmew"

_EMOTION_FOLDER = "happiness|surprise|disgust|fear|sadness|anger|others?|repression"
_CLIP = re.compile(r"(S[0-9]{2,3})-[0-9]+-[0-9]+", re.IGNORECASE | re.ASCII)
#: Names that releases give the folder of clips that show none of the six emotions.
_REST = frozenset({"other", "others", "repression"})


def read(root: Path) -> Reading:
    """Read the table and find each clip's folder.

    The subject is the first part of a clip's name.

    Args:
        root: the folder that holds the table and ``Micro_Expression``, in it or further below.

    Returns:
        One row a clip (see ``CodedDatabase.read_table``).

    Raises:
        AnnotationError: the table is absent, unreadable or breaks its format, or a clip's folder
            stands under another emotion.
    """
    frames = first_folder(root, ("Micro_Expression",), DATABASE.tree, _EMOTION_FOLDER)
    on_disk = _folders_by_clip(frames)
    differing = []

    def locate(row: TableRow) -> LocatedClip:
        clip = row.name("Filename")
        subject = subject_of(clip, row.where("Filename"))
        if not _same_subject(row.text("Subject"), subject):
            differing.append(row.number)
        emotion = row.name("Estimated Emotion").lower()
        return LocatedClip(subject, clip, _folder_of(clip, emotion, on_disk, frames, row))

    def remarks(table: Path) -> list[str]:
        if not differing:
            return []
        rows = listed_rows(differing)
        return [f"{table.name}: Subject differs from the clip's name, which is used, in {rows}"]

    present = [folder for same in on_disk.values() for folder in same]
    return DATABASE.read_table(root, locate, present, remarks=remarks)


def subject_of(clip: str, where: str) -> str:
    """Return the subject in a clip's name: ``S01`` of ``S01-01-001``.

    Args:
        clip: the clip's name.
        where: names the cell that it is from, for errors.

    Raises:
        AnnotationError: the name has another form.
    """
    match = _CLIP.fullmatch(clip)
    if match is None:
        raise AnnotationError(
            f"{where}: {clip[:60]!r}, expected S<person>-<emotion>-<sample> such as S01-01-001, "
            "since the subject is read from it; correct the cell"
        )
    return match[1].upper()


def _same_subject(cell: str, subject: str) -> bool:
    digits = re.findall(r"[0-9]+", cell)
    return not cell or (len(digits) == 1 and int(digits[0]) == int(subject[1:]))


def _folders_by_clip(frames: Path) -> dict[str, list[Path]]:
    folders: dict[str, list[Path]] = defaultdict(list)
    for emotion in subfolders(frames):
        for folder in subfolders(emotion):
            folders[folder.name].append(folder)
    return folders


def _folder_of(
    clip: str, emotion: str, on_disk: Mapping[str, Sequence[Path]], frames: Path, row: TableRow
) -> Path:
    """Return the clip's folder; the expected one if there is none, to be named as absent."""
    folders = on_disk.get(clip, ())
    accepted = _REST if emotion in _REST else {emotion}
    for folder in folders:
        if folder.parent.name.casefold() in accepted:
            return folder
    if folders:
        raise AnnotationError(
            f"{row.where('Estimated Emotion')}: {emotion!r}, but the frames of this clip stand in "
            f"{folders[0]}: expected one emotion a clip; correct the cell or move the folder"
        )
    return frames / emotion / clip


DATABASE = describe(NAME, read, CodedDatabase)
