"""Samples -> one array of clips: which files, read in parallel through the cache, joined by id.

What can't be used is left out with its reason; what is used otherwise than annotated is counted
in one warning a cause. Reasons and warnings name no folder, since reports print them.
"""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from mer_keras.annotations.samples import Excluded, Samples
from mer_keras.clips import cache, frames, sampling
from mer_keras.clips.headers import image_format
from mer_keras.config import Clip
from mer_keras.errors import FrameError, InvariantError

#: An onset, apex or offset this far outside its folder's frames is taken for the first or last
#: frame: tables and folders count from 0 or 1, and disagree by one here and there.
SLACK = 1

_GAP = "frame not on disk, the nearest one stands in"
_STEP = "gray frames, area-resized, 8 bits"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class ClipArrays:
    """What networks are fed with.

    Attributes:
        sample_ids: the clips, in the order of ``arrays``.
        arrays: float32; frames (n, frames, size, size, 1) in 0..1, or flow images
            (n, size, size, 3) in 0..255.
        excluded: clips of the samples table that are not here, each with its reason.
        warnings: what was accepted with a remark, one line a cause with its count.
    """

    sample_ids: tuple[str, ...]
    arrays: np.ndarray
    excluded: tuple[Excluded, ...] = ()
    warnings: tuple[str, ...] = ()

    def select(self, ids: Iterable[str]) -> np.ndarray:
        """Return the arrays of some clips, in the order of ``ids``.

        Raises:
            InvariantError: an id is not here.
        """
        places = {sample_id: place for place, sample_id in enumerate(self.sample_ids)}
        wanted = list(ids)
        unknown = [sample_id for sample_id in wanted if sample_id not in places]
        if unknown:
            raise InvariantError(
                f"{len(unknown)} of {len(wanted)} asked clips have no array, first {unknown[0]!r}: "
                "folds must be made from the clips that could be loaded"
            )
        return self.arrays[np.array([places[sample_id] for sample_id in wanted], dtype=int)]


class _Request(NamedTuple):
    """Files of a clip, each once, and which of them is which frame."""

    sources: tuple[Path, ...]
    order: tuple[int, ...]
    causes: tuple[str, ...]
    farthest: int  # frames between a wanted frame and the one that stands in for it


class _Loaded(NamedTuple):
    array: np.ndarray
    causes: tuple[str, ...] = ()
    farthest: int = 0


class _LeftOutError(Exception):
    """This clip can't be used; the message is the reason."""


def load_clips(samples: Samples, clip: Clip, *, progress: Progress | None = None) -> ClipArrays:
    """Load every clip of a samples table, in its order.

    Frames are made gray and resized to a square with area interpolation (aspect ratio is not
    kept). A missing onset or offset is the folder's first or last frame, a missing apex the middle
    frame. A frame that is not on disk is replaced by the nearest one. A clip is left out when its
    annotated frames lie outside its folder (see ``SLACK``) or an image of it is empty or damaged.

    Args:
        samples: table whose ``path`` is a folder of frames, or a flow image.
        clip: what to load.
        progress: called as ``progress(done, total)`` in this thread after each clip.

    Raises:
        FrameError: a folder or flow image is absent, a folder has no frames or two of one number,
            an image is too large or a flow image of another size than the config says, or no clip
            is left.
        ConfigError: ``clip.frames`` doesn't suit ``clip.sampling``.
    """
    rows = samples.table.to_dict("records")
    load = _frame_loader(rows, clip) if clip.kind == "frames" else _flow_loader(clip)
    kept: list[dict[str, Any]] = []
    arrays: list[np.ndarray] = []
    excluded: list[Excluded] = []
    causes: Counter[str] = Counter()
    farthest = 0
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        futures = [pool.submit(_attempt, load, row) for row in rows]
        try:
            for done, (row, future) in enumerate(zip(rows, futures, strict=True), start=1):
                result = future.result()
                if isinstance(result, str):
                    name = f"{row['subject']}/{row['clip']}"
                    excluded.append(Excluded(row["database"], name, result))
                else:
                    kept.append(row)
                    arrays.append(result.array)
                    causes.update(result.causes)
                    farthest = max(farthest, result.farthest)
                if progress:
                    progress(done, len(rows))
        except BaseException:  # also Ctrl-C: don't read the rest of a database first
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not kept:
        first = f": first {excluded[0].clip}: {excluded[0].reason}" if excluded else ""
        raise FrameError(
            f"none of {len(rows)} clips can be used{first}; expected at least one whole clip, so "
            "compare the annotation table with the frames on disk"
        )
    return ClipArrays(
        tuple(str(row["sample_id"]) for row in kept),
        _stack(arrays, scale=255 if clip.kind == "frames" else 1),
        tuple(excluded),
        tuple(
            f"{cause}: {count} of {len(kept)} clips"
            + (f" (at most {farthest} away)" if cause == _GAP else "")
            for cause, count in sorted(causes.items())
        ),
    )


def _attempt(load: Callable[[Mapping[str, Any]], _Loaded], row: Mapping[str, Any]) -> _Loaded | str:
    try:
        return load(row)
    except frames.UnreadableImageError as error:
        return error.reason
    except _LeftOutError as error:
        return str(error)


def _stack(arrays: Sequence[np.ndarray], scale: int) -> np.ndarray:
    stacked = np.empty((len(arrays), *arrays[0].shape), np.float32)
    for target, array in zip(stacked, arrays, strict=True):
        np.divide(array, np.float32(scale), out=target)
    return stacked


def _frame_loader(
    rows: Iterable[Mapping[str, Any]], clip: Clip
) -> Callable[[Mapping[str, Any]], _Loaded]:
    sampling.SAMPLINGS[clip.sampling](0, 0, 0, clip.frames)  # a wrong count: before any listing
    # A long recording holds many clips, and is listed once.
    folders = {path: frames.list_frames(Path(path)) for path in {row["path"]: None for row in rows}}

    def load(row: Mapping[str, Any]) -> _Loaded:
        request = _request(row, folders[row["path"]], clip)
        entry = cache.fetch(
            request.sources,
            _STEP,
            {"size": clip.size, "opencv": cv2.__version__},
            lambda contents: _gray_stack(contents, request.sources, clip.size),
        )
        array = entry.array[list(request.order)][..., np.newaxis]
        return _Loaded(array, (*request.causes, *_remarks(request, entry)), request.farthest)

    return load


def _request(row: Mapping[str, Any], folder: Mapping[int, Path], clip: Clip) -> _Request:
    numbers = list(folder)
    first, last = numbers[0], numbers[-1]
    causes: set[str] = set()
    onset = _mark(row, "onset", first, last, causes)
    apex = _mark(row, "apex", first, last, causes)
    offset = _mark(row, "offset", first, last, causes)
    onset = first if onset is None else onset
    offset = last if offset is None else offset
    if apex is None:
        causes.add("apex not annotated, the middle frame stands in")
    wanted = sampling.SAMPLINGS[clip.sampling](onset, apex, offset, clip.frames)
    taken = [_nearest(numbers, number) for number in wanted]
    farthest = max(abs(a - b) for a, b in zip(wanted, taken, strict=True))
    if farthest:
        causes.add(_GAP)
    unique = sorted(set(taken))
    if len(unique) < clip.frames:
        causes.add(f"fewer than {clip.frames} different frames, some stand twice")
    places = {number: place for place, number in enumerate(unique)}
    return _Request(
        tuple(folder[number] for number in unique),
        tuple(places[number] for number in taken),
        tuple(causes),
        farthest,
    )


def _mark(row: Mapping[str, Any], name: str, first: int, last: int, causes: set[str]) -> int | None:
    """Return an annotated frame number, moved by at most ``SLACK`` into the folder's range."""
    if pd.isna(row[name]):
        return None
    number = int(row[name])
    if not first - SLACK <= number <= last + SLACK:
        raise _LeftOutError(f"{name} {number} is beyond the frames on disk, {first} to {last}")
    inside = min(max(number, first), last)
    if inside != number:
        causes.add("annotated one frame beyond the folder, its first or last frame stands in")
    return inside


def _nearest(numbers: Sequence[int], wanted: int) -> int:
    """Return the nearest of some sorted numbers; of two, the earlier."""
    place = bisect_left(numbers, wanted)
    return min(numbers[max(0, place - 1) : place + 1], key=lambda number: abs(number - wanted))


def _gray_stack(
    contents: Sequence[bytes], sources: Sequence[Path], size: int
) -> tuple[np.ndarray, cache.Facts]:
    stack = np.empty((len(contents), size, size), np.uint8)
    shapes = set()
    for target, data, path in zip(stack, contents, sources, strict=True):
        image = frames.decode(data, path, gray=True)
        shapes.add(image.shape)
        target[...] = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return stack, {"formats": [image_format(data) for data in contents], "shapes": len(shapes)}


def _remarks(request: _Request, entry: cache.Entry) -> set[str]:
    causes = {
        _misnamed(path, found)
        for path, found in zip(request.sources, entry.facts["formats"], strict=True)
    } - {""}
    if entry.facts["shapes"] > 1:
        causes.add("frames of different sizes in one clip, each resized")
    if not entry.array.any():
        causes.add("all frames are black")
    elif len(entry.array) > 1 and (entry.array == entry.array[0]).all():
        causes.add("all frames are identical")
    if entry.not_stored:
        causes.add(f"not written to the cache ({entry.not_stored})")
    return causes


def _misnamed(path: Path, found: str | None) -> str:
    suffix = path.suffix.lower()
    if found is None or frames.SUFFIXES.get(suffix, found) == found:
        return ""
    return f"{found.upper()} image named {suffix}"


def _flow_loader(clip: Clip) -> Callable[[Mapping[str, Any]], _Loaded]:
    """Flow images are tiny files: reading one costs no more than finding it in the cache."""

    def load(row: Mapping[str, Any]) -> _Loaded:
        path = Path(row["path"])
        data = frames.read_bytes(path)
        image = frames.decode(data, path, gray=False)
        if image.shape[:2] != (clip.size, clip.size):
            height, width = image.shape[:2]
            raise FrameError(
                f"{path}: {width}x{height} pixels, expected {clip.size}x{clip.size}: flow is not "
                "resized, since its values are displacements; set data.clip.size"
            )
        remark = _misnamed(path, image_format(data))
        return _Loaded(image, (remark,) if remark else ())

    return load
