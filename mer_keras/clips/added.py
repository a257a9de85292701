"""What is looked at in the footage of own data when it is added: frame numbers, content twice."""

import hashlib
import os
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_keras.clips.footage import Footage, UnusableClipError, open_footage
from mer_keras.clips.frames import UnreadableImageError
from mer_keras.clips.marks import SLACK
from mer_keras.databases.repeated import repeated_content
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.errors import AnnotationError
from mer_keras.progress import CountProgress


def check_footage(reading: Reading, progress: CountProgress | None = None) -> list[str]:
    """Open the footage of all clips, and compare the annotated frame numbers with it.

    Images are listed, not decoded; videos are decoded once, since their headers may lie.

    Args:
        reading: what was read of a user's own data.
        progress: called with (recordings opened, recordings in all).

    Returns:
        Remarks: recordings that can't be used, and clips whose content stands twice.

    Raises:
        AnnotationError: a frame number is beyond its footage.
        FrameError: a folder holds no frame, or two of one number.
    """
    footage, unusable = _open_all([clip.path for clip in reading.clips], progress)
    usable = [clip for clip in reading.clips if clip.path in footage]
    # A long recording holds many clips: its numbers are listed once.
    numbers = {path: opened.numbers for path, opened in footage.items()}
    for clip in usable:
        _require_marks_inside(clip, numbers[clip.path], reading.source)
    remarks = []
    if unusable:
        listed = "; ".join(list(unusable.values())[:5]) + ("; ..." if len(unusable) > 5 else "")
        remarks.append(f"{len(unusable)} recording(s) can't be used and are left out: {listed}")
    table = pd.DataFrame(
        {
            "sample_id": clip.sample_id,
            "subject_id": f"{clip.database}/{clip.subject}",
            "label": "",
            "emotion": clip.emotion,
        }
        for clip in usable
    )
    files = {
        clip.sample_id: _files(clip, footage[clip.path], numbers[clip.path]) for clip in usable
    }
    return [*remarks, *repeated_content(_repeated(files), table)]


def _open_all(
    paths: Sequence[Path], progress: CountProgress | None
) -> tuple[dict[Path, Footage], dict[Path, str]]:
    """Return the footage at each path, and for those that can't be used the reason."""
    footage, unusable = {}, {}
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        opened = {path: pool.submit(open_footage, path) for path in dict.fromkeys(paths)}
        for done, (path, future) in enumerate(opened.items(), start=1):
            try:
                footage[path] = future.result()
            except UnreadableImageError as error:
                unusable[path] = error.reason
            except UnusableClipError as error:
                unusable[path] = str(error)
            if progress:
                progress(done, len(opened))
    return footage, unusable


def _require_marks_inside(clip: ClipAnnotation, numbers: Sequence[int], source: Path) -> None:
    """Refuse frame numbers that the footage doesn't have.

    Raises:
        AnnotationError: naming row and column, and the numbers that there are.
    """
    first, last = numbers[0], numbers[-1]
    for column in ("onset", "apex", "offset"):
        frame = getattr(clip, column)
        if frame is not None and not first - SLACK <= frame <= last + SLACK:
            where = f"row {clip.row}" if clip.row else f"clip {clip.clip!r}"
            raise AnnotationError(
                f"{source}: {where}, column {column!r}: {frame}, but {clip.path.name!r} has the "
                f"frames {first} to {last}: expected one of these. A video's frames count from 0, "
                "an image's number is the last one in its name; correct the row or the path"
            )


class _Files(NamedTuple):
    """The files of a clip, and the frames that are meant of a file that holds several."""

    paths: Sequence[Path]
    span: tuple[int | None, int | None] = (None, None)


def _files(clip: ClipAnnotation, footage: Footage, numbers: Sequence[int]) -> _Files:
    """Return the files of a clip's frames, or its video."""
    if not footage.files:
        return _Files([clip.path], (clip.onset, clip.offset))
    begin = 0 if clip.onset is None else bisect_left(numbers, clip.onset)
    end = len(numbers) if clip.offset is None else bisect_right(numbers, clip.offset)
    inside = numbers[begin:end] or numbers[-1:]
    return _Files([footage.files[number] for number in inside])


def _repeated(files: Mapping[str, _Files]) -> dict[str, bytes]:
    """Return sample id -> digest of its files, for clips whose files are as large as another's.

    Only such clips are read: thousands of clips take seconds.
    """
    alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for sample_id, (paths, span) in files.items():
        sizes = [path.stat().st_size for path in (paths[0], paths[-1])]
        alike[len(paths), *sizes, *span].append(sample_id)
    return {
        sample_id: _digest(files[sample_id].paths)
        for same in alike.values()
        if len(same) > 1
        for sample_id in same
    }


def _digest(files: Sequence[Path]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "blake2b").digest())
    return digest.digest()
