"""Flow images of the MEGC 2019 composite as their publishers ship them.

Two layouts are around. One is divided for leave-one-subject-out: a folder for each subject with
``u_train`` and ``u_test``, in each the classes 0, 1 and 2, and in these the images of all other
subjects or of this one. So each image is there 68 times, and once in the ``u_test`` of its own
subject. The other is flat: all images in one folder, and a table of their classes.

An image is named after subject and clip, ``006_006_1_2 .png``; a blank may stand before the suffix.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mer_keras.databases.delimited import read_csv
from mer_keras.databases.folders import find_table, images, subfolders, wrappers
from mer_keras.databases.links import require_inside
from mer_keras.databases.readers import casme2, samm, smic
from mer_keras.databases.samples import ClipAnnotation, Excluded, Reading
from mer_keras.databases.tables import TableRow, table_rows
from mer_keras.errors import AnnotationError, did_you_mean

#: Classes of the challenge; a folder or cell has their position.
CLASSES = ("negative", "positive", "surprise")
#: Databases of the composite.
DATABASES = (casme2.NAME, samm.NAME, smic.NAME)
#: Table of the flat layout.
TABLE = "combined_3_class2_for_optical_flow.csv"

#: Set -> a column that its list has and the other set's doesn't.
_LISTED = {"megc2019_flow": "image", "megc2019_key_frames": "onset_apex"}
_TABLE_PATTERN = "combined*flow*.csv"
_COLUMNS = {"dataset": ("database",), "sub": ("subject",), "filename_o": ("clip",), "label": ()}
_TEST, _TRAIN = "u_test", "u_train"
#: Subjects as each database writes them: ``sub01``, ``s01``, ``006``.
_SUBJECT = re.compile(
    r"(?P<casme2>sub[0-9]{1,2})|(?P<smic>s[0-9]{1,2})|(?P<samm>[0-9]{1,3})",
    re.IGNORECASE,
)
_NAME = re.compile(rf"(?P<subject>{_SUBJECT.pattern})_(?P<clip>.+)", re.IGNORECASE)


class ClipName(NamedTuple):
    """A clip of the composite, in the form of its own database."""

    database: str
    subject: str
    clip: str


@dataclass
class PublishedFlow:
    """What was found of the images.

    Attributes:
        source: the table, or the folder that was looked through.
        edition: the layout, for reports.
        classes: the class of each clip.
        paths: the image of each clip.
        rows: number of its row, of clips that a table lists.
        excluded: clips that are left out, each with the reason.
        warnings: what a report should mention.
    """

    source: Path
    edition: str
    classes: dict[ClipName, str] = field(default_factory=dict)
    paths: dict[ClipName, Path] = field(default_factory=dict)
    rows: dict[ClipName, int] = field(default_factory=dict)
    excluded: list[Excluded] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def leave_out(self, clip: ClipName, reason: str) -> None:
        """Add a clip to the excluded ones."""
        self.excluded.append(Excluded(clip.database, f"{clip.subject}/{clip.clip}", reason))

    def reading(self, clips: list[ClipAnnotation], tree: str) -> Reading:
        """Return what a reader says of the clips that it made of these images.

        Args:
            clips: the clips that have all their images and a class.
            tree: the files that are expected, as the database's card has them.
        """
        return Reading(
            self.source,
            clips,
            tree,
            edition=self.edition,
            warnings=self.warnings,
            excluded=self.excluded,
        )


def clip_name(stem: str) -> ClipName | None:
    """Return which clip an image shows by its name without the suffix; None for another name."""
    match = _NAME.fullmatch(stem.strip())
    if match is None:
        return None
    database = next(name for name in DATABASES if match[name] is not None)
    subject = normal_subject(database, match["subject"].lower(), f"image {stem!r}")
    return ClipName(database, subject, _normal_clip(database, match["clip"]))


def clip_subject(name: str) -> tuple[str, str] | None:
    """Return database and subject that a folder's name stands for; None for another name."""
    match = _SUBJECT.fullmatch(name.strip())
    if match is None or match.lastgroup is None:
        return None
    subject = name.strip().lower()
    return match.lastgroup, normal_subject(match.lastgroup, subject, f"folder {name!r}")


def normal_subject(database: str, name: str, where: str) -> str:
    """Return a subject as its database writes it.

    Args:
        database: one of ``DATABASES``.
        name: as a table or folder has it; the zeros of SAMM's and SMIC's may be absent.
        where: says which cell or folder it is, for errors.

    Raises:
        AnnotationError: SAMM's is no number.
    """
    if database == samm.NAME:
        return samm.normalise_subject(name, where)
    return smic.normalise_subject(name) if database == smic.NAME else name


def _normal_clip(database: str, name: str) -> str:
    return smic.normalise_clip(name) if database == smic.NAME else name


def divided_images(root: Path) -> PublishedFlow | None:
    """Find the layout that is divided by subjects, in a folder or in one that it wraps.

    Args:
        root: the folder.

    Returns:
        The clips of all ``u_test``; None where there is no such layout.

    Raises:
        AnnotationError: a clip has two classes, or stands in the ``u_test`` of another subject.
    """
    folder = next((wrapper for wrapper in wrappers(root) if any(_tests(wrapper))), None)
    if folder is None:
        return None
    found = PublishedFlow(folder, f"folders of {folder.name}")
    classes: dict[ClipName, dict[str, Path]] = defaultdict(dict)
    trained: set[ClipName] = set()
    for subject in subfolders(folder):
        for part in subfolders(subject):
            for name, path, label in _classified(part):
                if part.name.lower() == _TEST:
                    _check_own(name, subject, path)
                    if name in found.paths and label in classes[name]:
                        raise AnnotationError(
                            f"{path} and {found.paths[name].name}: two images of one clip; remove "
                            "one of them"
                        )
                    found.paths[name] = require_inside(path, root, str(subject))
                else:
                    trained.add(name)
                classes[name].setdefault(label, path)
    for name, labels in sorted(classes.items()):
        if len(labels) > 1:
            first, second = list(labels.values())[:2]
            raise AnnotationError(
                f"{first} and {second}: one clip in two classes, {' and '.join(labels)}: expected "
                "each clip in one; get the images anew"
            )
        found.classes[name] = next(iter(labels))
    for name in sorted(trained - set(found.paths)):
        found.leave_out(name, f"in {_TRAIN} of other subjects only: its own {_TEST} lacks it")
    return found


def flat_images(folder: Path, root: Path, names: Iterable[ClipName]) -> PublishedFlow:
    """Join the images of one folder with the table of their classes.

    Args:
        folder: holds the images.
        root: the database's folder, which holds the table somewhere.
        names: the clips that the folder holds.

    Returns:
        The class of every clip that has one; ``paths`` is empty.

    Raises:
        AnnotationError: the table is absent, or breaks its format.
    """
    table, warnings = find_table(root, (TABLE,), _TABLE_PATTERN)
    rows, remarks = table_rows(read_csv(table), _COLUMNS, table)
    found = PublishedFlow(table, f"{table.name}, images of {folder.name}")
    found.warnings += [*warnings, *remarks]
    present = set(names)
    for row in rows:
        name, label = _listed(row), _label(row)
        if found.classes.get(name, label) != label:
            raise AnnotationError(
                f"{row.where('label')}: class {label} for a clip that row {found.rows[name]} has "
                f"as {found.classes[name]}: remove one of the rows"
            )
        found.classes[name] = label
        found.rows.setdefault(name, row.number)
        if name not in present:
            found.leave_out(name, f"row {row.number}: no image of it in {folder.name}")
    for name in sorted(present - set(found.classes)):
        found.leave_out(name, f"an image, but no row in {table.name}")
    return found


def named_images(root: Path) -> tuple[Path, dict[str, Path]] | None:
    """Find a folder whose images are named after clips, in a folder or in one that it wraps.

    Returns:
        The folder, and its images by name without blanks and suffix; None where there is none.

    Raises:
        AnnotationError: two images have one such name.
    """
    for folder in wrappers(root):
        by_name: dict[str, Path] = {}
        for path in images(folder):
            stem = path.stem.strip()
            if clip_name(stem) is None:
                continue
            if stem in by_name:
                raise AnnotationError(
                    f"{path} and {by_name[stem].name}: two images of one clip; remove one of them"
                )
            by_name[stem] = require_inside(path, root, str(folder))
        if by_name:
            return folder, by_name
    return None


def listed_root(root: Path, table: str, columns: Iterable[str]) -> Path | None:
    """Return the nearest folder whose table lists images: this one or one that it wraps.

    Args:
        root: the folder.
        table: the table's name.
        columns: it must have, since another set's table may have the same name.

    Returns:
        None where there is none. The folder itself is returned whatever its table's columns are,
        so that an error names what it lacks.

    Raises:
        AnnotationError: the table can't be read, or the folder's own lists another set.
    """
    for folder in wrappers(root):
        if not (folder / table).exists():
            continue
        first_row = next(iter(read_csv(folder / table)), [])
        header = {str(cell).strip().lower() for cell in first_row}
        if folder == root:
            for name, column in _LISTED.items():
                if column in header and column not in set(columns):
                    raise AnnotationError(
                        f"{folder / table}: lists the set {name}: read or import it under that name"
                    )
            return folder
        if set(columns) <= header:
            return folder
    return None


def parts_of(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Tell the further images of a clip, which end in _1, _2 or _3, from the first.

    A clip's own name may end so, too (``sub03_EP01_2``): a name is that of a further image only
    where the name without its end is there.

    Args:
        names: of images, without suffixes.

    Returns:
        By the name of each first image, the names of all of its clip by number, the first's 0.
    """
    known = set(names)
    parts: dict[str, dict[int, str]] = {}
    for name in sorted(known):
        first, _, end = name.rpartition("_")
        if end in ("1", "2", "3") and first in known:
            parts[first][int(end)] = name
        else:
            parts[name] = {0: name}
    return parts


def _tests(folder: Path) -> Iterator[Path]:
    """Yield the ``u_test`` folders of subjects in a folder."""
    for subject in subfolders(folder):
        if clip_subject(subject.name) is not None:
            yield from (part for part in subfolders(subject) if part.name.lower() == _TEST)


def _classified(part: Path) -> Iterator[tuple[ClipName, Path, str]]:
    """Yield clip, image and class of each image in a ``u_test`` or ``u_train``."""
    if part.name.lower() not in (_TEST, _TRAIN):
        return
    for folder in subfolders(part):
        if folder.name not in map(str, range(len(CLASSES))):
            continue
        for path in images(folder):
            name = clip_name(path.stem)
            if name is None:
                raise AnnotationError(
                    f"{path}: expected an image named after subject and clip, such as "
                    "006_006_1_2.png; rename it or move it away"
                )
            yield name, path, CLASSES[int(folder.name)]


def _check_own(name: ClipName, subject: Path, path: Path) -> None:
    if (name.database, name.subject) != clip_subject(subject.name):
        raise AnnotationError(
            f"{path}: a clip of subject {name.subject} among the tested ones of {subject.name}: "
            "expected each clip in the folder of its own subject; get the images anew"
        )


def _listed(row: TableRow) -> ClipName:
    """Return which clip a row of the flat layout's table is about."""
    database = listed_database(row, "dataset")
    subject = normal_subject(database, row.name("sub"), row.where("sub"))
    return ClipName(database, subject, _normal_clip(database, row.name("filename_o")))


def listed_database(row: TableRow, column: str) -> str:
    """Return the database that a cell names.

    Raises:
        AnnotationError: it is none of the composite's.
    """
    database = row.required_text(column)
    if database.lower() not in DATABASES:
        raise AnnotationError(
            f"{row.where(column)}: {database[:60]!r}{did_you_mean(database, DATABASES)}, "
            f"expected one of {', '.join(DATABASES)}; correct the cell"
        )
    return database.lower()


def _label(row: TableRow) -> str:
    text = row.text("label")
    if text not in map(str, range(len(CLASSES))):
        raise AnnotationError(
            f"{row.where('label')}: {text[:60]!r}, expected 0 (negative), 1 (positive) or "
            "2 (surprise); correct the cell"
        )
    return CLASSES[int(text)]
