"""What a user names on the command line -> recordings, each a video, a folder or some images."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from mer_keras.clips.frames import SUFFIXES as IMAGE_SUFFIXES
from mer_keras.databases.delimited import read_csv
from mer_keras.databases.folders import VIDEO_SUFFIXES
from mer_keras.errors import UserError
from mer_keras.names import slug
from mer_keras.video.reader import Source

#: A file of one of these endings lists recordings, one a line.
LIST_SUFFIXES = (".txt", ".csv")
#: Onset and apex; onset, apex and offset.
_PAIR = (2, 3)


@dataclass(frozen=True)
class NamedSource:
    """A recording that was named.

    Attributes:
        name: of its folder of results, different from those of the others.
        source: what is opened.
        is_pair: whether it is onset and apex, and perhaps offset, of one expression.
    """

    name: str
    source: Source
    is_pair: bool = False


def sources_of(paths: Sequence[Path]) -> list[NamedSource]:
    """Return the recordings that some paths name, in order.

    Args:
        paths: videos; folders of frames; folders of videos or of such folders; two or three images,
            which are onset, apex and offset of one expression; or a list: a text or CSV file with a
            recording, or the images of one expression, on each line, relative to its own folder.

    Raises:
        UserError: a path is absent or names no recording.
    """
    if paths and all(_is_image(path) for path in paths):
        sources = [_pair(paths, "these images")]
    else:
        sources = [source for path in paths for source in _of_path(path)]
    return _with_different_names(sources)


def _with_different_names(sources: Sequence[NamedSource]) -> list[NamedSource]:
    """Number the recordings whose names are those of earlier ones."""
    taken = {source.name for source in sources}
    seen: set[str] = set()
    renamed = []
    for source in sources:
        name = source.name
        if name in seen:
            numbered = (f"{source.name}-{number}" for number in count(2))
            name = next(other for other in numbered if other not in taken)
        seen.add(name)
        taken.add(name)
        renamed.append(replace(source, name=name))
    return renamed


def _of_path(path: Path) -> list[NamedSource]:
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder: expected a video or a folder of frames")
    if path.suffix.lower() in LIST_SUFFIXES:
        return _of_list(path)
    if _is_image(path):
        raise UserError(
            f"{path}: an image among other recordings: name the two or three images of one "
            "expression alone, or in a list file"
        )
    return [NamedSource(_name(path), path)]


def _of_folder(folder: Path) -> list[NamedSource]:
    """One recording where it holds images; else one for each video and folder in it."""
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))
    if any(_is_image(entry) for entry in entries):
        return [NamedSource(_name(folder), folder)]
    videos = [entry for entry in entries if entry.suffix.lower() in VIDEO_SUFFIXES]
    folders = [
        entry for entry in entries if entry.is_dir() and any(map(_is_image, entry.iterdir()))
    ]
    if not videos and not folders:
        raise UserError(
            f"{folder}: holds no images, no videos and no folders of images: expected frames of a "
            "recording, or recordings"
        )
    return [NamedSource(_name(path), path) for path in sorted([*videos, *folders])]


def _of_list(path: Path) -> list[NamedSource]:
    sources = []
    for number, row in enumerate(read_csv(path), start=1):
        cells = [str(cell) for cell in row if cell is not None]
        if not cells or cells[0].startswith("#"):
            continue
        named = [path.parent / cell for cell in cells]
        where = f"{path}, line {number}"
        for file in named:
            if not os.path.exists(file):  # noqa: PTH110 - Path's own raises for a name too long.
                raise UserError(f"{where}: {file}: no such file or folder")
        if all(_is_image(file) for file in named):
            sources.append(_pair(named, where))
        elif len(named) == 1 and named[0].suffix.lower() not in LIST_SUFFIXES:
            sources += _of_path(named[0])
        else:
            raise UserError(
                f"{where}: {len(named)} cells: expected one video or folder, or two or three images"
            )
    if not sources:
        raise UserError(f"{path}: an empty list: expected a recording on each line")
    return sources


def _pair(images: Sequence[Path], where: str) -> NamedSource:
    if len(images) not in _PAIR:
        raise UserError(
            f"{where}: {len(images)} images: expected onset and apex, or onset, apex and offset; "
            "of a whole recording name its folder"
        )
    return NamedSource(_name(images[0]), tuple(images), is_pair=True)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()


def _name(path: Path) -> str:
    """The name of a file or folder as results may be called."""
    return slug(path.resolve().name)
