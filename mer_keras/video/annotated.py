"""Long recordings of a database whose expressions are annotated, such as those of CAS(ME)^2."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mer_keras.clips.frames import list_frames
from mer_keras.databases.samples import Samples
from mer_keras.errors import UserError
from mer_keras.video.evaluate import Annotation


@dataclass(frozen=True)
class AnnotatedVideo:
    """A recording and its annotated expressions.

    Attributes:
        name: subject and recording.
        path: a folder of frames, or a video.
        subject: who is in it.
        fps: frames a second of a folder; None for a video, which has its own.
        intervals: the annotated expressions, in frame indices from 0.
    """

    name: str
    path: Path
    subject: str
    fps: float | None
    intervals: tuple[Annotation, ...]


def annotated_videos(samples: Samples) -> list[AnnotatedVideo]:
    """Return the recordings that the clips of a database were cut from.

    Tables number the frames of a folder as its files do; here they count from 0. Only what the
    reader reads is annotated: of CAS(ME)^2 the micro-expressions, so that a macro-expression that
    is spotted counts as false.

    Raises:
        UserError: no clip has an onset and an offset in a recording that is there.
    """
    table = samples.table
    marked = table[table["onset"].notna() & table["offset"].notna()]
    videos = []
    for path, clips in marked.groupby("path", sort=True):
        footage = Path(str(path))
        numbers = list(list_frames(footage)) if footage.is_dir() else None
        first = clips.iloc[0]
        name = f"{first['subject']}/{footage.stem}"
        intervals = tuple(
            Annotation(name, _index(int(onset), numbers), _index(int(offset), numbers))
            for onset, offset in zip(clips["onset"], clips["offset"], strict=True)
        )
        fps = float(first["fps"]) if numbers is not None and first.notna()["fps"] else None
        videos.append(AnnotatedVideo(name, footage, str(first["subject_id"]), fps, intervals))
    if not videos:
        raise UserError("no clip has an annotated onset and offset: nothing to compare with")
    return videos


def _index(number: int, numbers: Sequence[int] | None) -> int:
    """Index of the frame of a number, or of the first one after it."""
    if numbers is None:
        return number
    return min(bisect_left(numbers, number), len(numbers) - 1)
