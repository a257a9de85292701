"""Samples -> one array of clips: read in parallel through the cache, joined by id.

What can't be used is left out with its reason; what is used otherwise than annotated is counted
in one warning a cause. Reasons and warnings name no folder, since reports print them.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mer_keras.clips import frames, sampling
from mer_keras.clips.footage import Footage, UnusableClipError, open_footage
from mer_keras.clips.headers import image_format
from mer_keras.clips.normalisation import normalise_clip
from mer_keras.clips.steps import GAP, Loaded, check_clip, load_clip, spotting_error
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import Excluded, Samples
from mer_keras.errors import FrameError, InvariantError
from mer_keras.progress import CountProgress


@dataclass(frozen=True, eq=False)
class ClipArrays:
    """What networks are fed with.

    Attributes:
        sample_ids: the clips, in the order of ``arrays``.
        arrays: float32; frames (n, frames, size, size, channels) in 0..1, single frames without
            the time axis; flow images (n, size, size, 3) in 0..255, unless they are normalised
            clip by clip; flow magnitudes (n, size, size, 1) in pixels.
        excluded: clips of the samples table that are not here, each with its reason.
        warnings: what was accepted with a remark, one line a cause with its count.
    """

    sample_ids: tuple[str, ...]
    arrays: np.ndarray
    excluded: tuple[Excluded, ...] = ()
    warnings: tuple[str, ...] = ()

    def digest(self) -> str:
        """Digest of the arrays."""
        return hashlib.blake2b(self.arrays.tobytes(), digest_size=16).hexdigest()

    def select(self, ids: Iterable[str]) -> np.ndarray:
        """Return the arrays of some clips, in the order of ``ids``.

        Raises:
            InvariantError: an id is not here.
        """
        return self.arrays[self.rows(ids)]

    def rows(self, ids: Iterable[str]) -> np.ndarray:
        """Return the row numbers, int64, of some clips in ``arrays``, in the order of ``ids``.

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
        return np.array([places[sample_id] for sample_id in wanted], dtype="int64")


def load_clips(
    samples: Samples,
    clip: Clip,
    policies: Policies | None = None,
    *,
    progress: CountProgress | None = None,
) -> ClipArrays:
    """Load every clip of a samples table, in its order, on all cores.

    Frames are resized to a square with area interpolation (the aspect ratio is not kept). A missing
    onset or offset is the folder's first or last frame. A frame that is not on disk is replaced by
    the nearest one. A clip is left out when its annotated frames lie outside its folder (see
    ``steps.SLACK``), an image of it is empty or damaged, or a policy says so.

    Args:
        samples: table whose ``path`` is a folder of frames, an image, a video, a table of pixels or
            a flow image.
        clip: what to load.
        policies: what to do about faults that leave a choice.
        progress: called as ``progress(done, total)`` in this thread after each clip.

    Raises:
        FrameError: a folder or flow image is absent, a folder has no frames or two of one number,
            an image is too large, a flow image of another size than the config says, frames of one
            clip differ in size (unless the policy resizes them), or no clip is left.
        ConfigError: ``clip.frames`` doesn't suit ``clip.sampling``.
    """
    rows = samples.table.to_dict("records")
    load: Callable[[Mapping[str, Any]], Loaded]
    if clip.kind == "flow_image":
        load = partial(_load_flow_image, clip)
    else:
        load = _frame_loader(rows, clip, policies or Policies())
    loaded = _load_all(rows, load, progress)
    if not loaded.kept:
        first = loaded.excluded[0] if loaded.excluded else None
        raise FrameError(
            f"none of {len(rows)} clips can be used"
            f"{f': first {first.clip}: {first.reason}' if first else ''}; expected at least one "
            "whole clip, so compare the annotation table with the frames on disk"
        )
    return ClipArrays(
        tuple(str(row["sample_id"]) for row, _ in loaded.kept),
        _stack(
            [array for _, array in loaded.kept],
            scale=255 if clip.kind == "frames" and clip.normalise == "none" else 1,
        ),
        tuple(loaded.excluded),
        loaded.warnings(),
    )


def check_frames(
    samples: Samples, policies: Policies | None = None, progress: CountProgress | None = None
) -> tuple[tuple[Excluded, ...], tuple[str, ...]]:
    """Decode every frame of every clip, and say what a run would leave out or remark.

    Nothing is cached.

    Args:
        samples: see ``load_clips``.
        policies: what to do about faults that leave a choice.
        progress: as for ``load_clips``.

    Returns:
        Clips that can't be used, each with its reason, and warnings, one line a cause.

    Raises:
        FrameError: as ``load_clips`` does.
    """
    rows = samples.table.to_dict("records")
    footage = _open_all(rows)

    def load(row: Mapping[str, Any]) -> Loaded:
        return check_clip(row, _usable(footage[row["path"]]), policies or Policies())

    loaded = _load_all(rows, load, progress)
    return tuple(loaded.excluded), loaded.warnings()


def spotting_errors(
    samples: Samples, policies: Policies | None = None, progress: CountProgress | None = None
) -> np.ndarray:
    """Spot the apex of every clip that has one annotated, and say how far off it is.

    Args and errors are those of ``check_frames``.

    Returns:
        float (clips,): distances as shares of the clips' lengths.
    """
    rows = [row for row in samples.table.to_dict("records") if not pd.isna(row["apex"])]
    footage = _open_all(rows)

    def load(row: Mapping[str, Any]) -> Loaded:
        return spotting_error(row, _usable(footage[row["path"]]), policies or Policies())

    return np.array([array[0] for _, array in _load_all(rows, load, progress).kept])


@dataclass
class _All:
    """What came of all clips."""

    kept: list[tuple[Mapping[str, Any], np.ndarray]] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    farthest: int = 0

    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{cause}: {count} of {len(self.kept)} clips"
            + (f" (at most {self.farthest} away)" if cause == GAP else "")
            for cause, count in sorted(self.causes.items())
        )


def _load_all(
    rows: Sequence[Mapping[str, Any]],
    load: Callable[[Mapping[str, Any]], Loaded],
    progress: CountProgress | None,
) -> _All:
    """Load rows on all cores: decoding, resizing and filtering release the interpreter's lock."""
    found = _All()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        futures = [pool.submit(_attempt, load, row) for row in rows]
        try:
            for done, (row, future) in enumerate(zip(rows, futures, strict=True), start=1):
                result = future.result()
                if isinstance(result, str):
                    name = f"{row['subject']}/{row['clip']}"
                    found.excluded.append(Excluded(row["database"], name, result))
                else:
                    found.kept.append((row, result.array))
                    found.causes.update(result.causes)
                    found.farthest = max(found.farthest, result.farthest)
                if progress:
                    progress(done, len(rows))
        except BaseException:  # also Ctrl-C: don't read the rest of a database first
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _attempt(load: Callable[[Mapping[str, Any]], Loaded], row: Mapping[str, Any]) -> Loaded | str:
    try:
        return load(row)
    except frames.UnreadableImageError as error:
        return error.reason
    except UnusableClipError as error:
        return str(error)


def _stack(arrays: Sequence[np.ndarray], scale: int) -> np.ndarray:
    stacked = np.empty((len(arrays), *arrays[0].shape), np.float32)
    for target, array in zip(stacked, arrays, strict=True):
        np.divide(array, np.float32(scale), out=target)
    return stacked


def _frame_loader(
    rows: Iterable[Mapping[str, Any]], clip: Clip, policies: Policies
) -> Callable[[Mapping[str, Any]], Loaded]:
    if clip.kind == "frames":
        sampling.SAMPLINGS[clip.sampling](0, 0, 0, clip.frames)  # a wrong count: before any listing
    footage = _open_all(rows)

    def load(row: Mapping[str, Any]) -> Loaded:
        return load_clip(row, _usable(footage[row["path"]]), clip, policies)

    return load


def _open_all(rows: Iterable[Mapping[str, Any]]) -> dict[str, Footage | UnusableClipError]:
    """List every folder once: a long recording holds many clips."""
    paths = list({row["path"]: None for row in rows})
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(zip(paths, pool.map(_open, map(Path, paths)), strict=True))


def _open(path: Path) -> Footage | UnusableClipError:
    try:
        return open_footage(path)
    except UnusableClipError as error:
        return error


def _usable(footage: Footage | UnusableClipError) -> Footage:
    if isinstance(footage, UnusableClipError):
        raise footage
    return footage


def _load_flow_image(clip: Clip, row: Mapping[str, Any]) -> Loaded:
    """Flow images are tiny files: reading one costs no more than finding it in the cache."""
    path = Path(row["path"])
    data = frames.read_bytes(path)
    image = frames.decode(data, path, gray=False)
    if image.shape[:2] != (clip.size, clip.size):
        height, width = image.shape[:2]
        raise FrameError(
            f"{path}: {width}x{height} pixels, expected {clip.size}x{clip.size}: flow is not "
            "resized, since its values are displacements; set data.clip.size"
        )
    if clip.resize_to is not None:
        side = (clip.resize_to, clip.resize_to)
        image = cv2.resize(image, side, interpolation=cv2.INTER_LINEAR)
    remark = frames.misnamed(path, image_format(data))
    image = normalise_clip(image, clip.normalise)
    return Loaded(image, (remark,) if remark else ())
