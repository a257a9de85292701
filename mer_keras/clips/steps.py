"""One clip, step by step: box of the face, frames, magnification, spotting, sampling, flow.

Each step is cached by what it reads and nothing else: a changed number of frames doesn't look for
the face again, a changed amplification doesn't decode again.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from mer_keras.clips import cache, faces, flow, magnification, sampling, spotting
from mer_keras.clips.footage import Footage, UnusableClipError
from mer_keras.clips.normalisation import normalise_clip
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.errors import FrameError

#: An onset, apex or offset this far outside its folder's frames is taken for the first or last
#: frame: tables and folders count from 0 or 1, and disagree by one here and there.
SLACK = 1

GAP = "frame not on disk, the nearest one stands in"
NO_APEX = "apex not annotated, the middle frame stands in"


class Loaded(NamedTuple):
    """One clip's array, and what a reader should know of it."""

    array: np.ndarray
    causes: tuple[str, ...] = ()
    farthest: int = 0  # frames between a wanted frame and the one that stands in for it


class _Span(NamedTuple):
    onset: int
    apex: int | None
    offset: int


class _Marks(NamedTuple):
    onset: int
    apex: int
    offset: int


class _Work:
    """What the steps of one clip share: its frames, and the remarks so far."""

    def __init__(self, row: Mapping[str, Any], footage: Footage) -> None:
        self.row = row
        self.footage = footage
        self.numbers = footage.numbers
        self.causes: set[str] = set()
        self.farthest = 0

    def nearest(self, wanted: Sequence[int]) -> list[int]:
        """Return the frames on disk that stand in for some numbers; of two, the earlier."""
        taken = []
        for number in wanted:
            place = bisect_left(self.numbers, number)
            near = self.numbers[max(0, place - 1) : place + 1]
            taken.append(min(near, key=lambda candidate: abs(candidate - number)))
        away = max(abs(a - b) for a, b in zip(wanted, taken, strict=True))
        if away:
            self.causes.add(GAP)
            self.farthest = max(self.farthest, away)
        return taken


def load_clip(row: Mapping[str, Any], footage: Footage, clip: Clip, policies: Policies) -> Loaded:
    """Do all that a config asks for to one clip.

    Args:
        row: of the samples table.
        footage: its frames.
        clip: what to load.
        policies: what to do about faults that leave a choice.

    Returns:
        uint8 (frames, size, size, channels), a single frame without the first axis, or float32
        where values were changed: in 0..255 either way, but with ``normalise`` as that leaves them.
        Flow: (size, size, 3) in 0..255; its magnitude: (size, size, 1) in pixels.

    Raises:
        UnusableClipError: the clip must be left out.
        FrameError: an image or folder breaks what the config expects.
    """
    work = _Work(row, footage)
    span = _span(work)
    crop = _crop(work, span, clip, policies)
    needs_apex = clip.kind == "flow" or clip.sampling not in sampling.WITHOUT_APEX
    if span.apex is None and needs_apex:
        span = _with_apex(work, span, crop, policies)
    if clip.kind == "flow":
        array = _flow(work, span, clip, crop, policies)
    else:
        array = _frames(work, span, clip, crop, policies)
    return Loaded(normalise_clip(array, clip.normalise), tuple(work.causes), work.farthest)


def check_clip(row: Mapping[str, Any], footage: Footage, policies: Policies) -> Loaded:
    """Decode every frame of a clip, and make nothing of it.

    Args and errors are those of ``load_clip``.
    """
    work = _Work(row, footage)
    span = _span(work)
    wanted = work.nearest(range(span.onset, span.offset + 1))
    pictures, formats = footage.read(sorted(set(wanted)))
    _remark(work, sorted(set(wanted)), pictures, formats, policies)
    if span.apex is None and policies.apex == "middle":
        work.causes.add(NO_APEX)
    return Loaded(np.empty(0), tuple(work.causes), work.farthest)


def _span(work: _Work) -> _Span:
    """Return the annotated frame numbers; a missing onset or offset is the first or last frame."""
    first, last = work.numbers[0], work.numbers[-1]

    def mark(name: str) -> int | None:
        if pd.isna(work.row[name]):
            return None
        number = int(work.row[name])
        if not first - SLACK <= number <= last + SLACK:
            raise UnusableClipError(
                f"{name} {number} is beyond the frames on disk, {first} to {last}"
            )
        inside = min(max(number, first), last)
        if inside != number:
            work.causes.add(
                "annotated one frame beyond the folder, its first or last frame stands in"
            )
        return inside

    onset, apex, offset = mark("onset"), mark("apex"), mark("offset")
    return _Span(first if onset is None else onset, apex, last if offset is None else offset)


def _crop(work: _Work, span: _Span, clip: Clip, policies: Policies) -> dict[str, Any]:
    """Return the parameters of the crop: none, or a box in pixels of the onset frame."""
    how = clip.crop
    if how == "none":
        return {}

    def find(pictures: Sequence[np.ndarray]) -> np.ndarray:
        return faces.locate(pictures[0], how, align=clip.align)

    onset = work.nearest([span.onset])
    params = {"how": how, "align": clip.align, "opencv": cv2.__version__}
    box = faces.FaceBox.unpacked(
        work.footage.fetch(onset, "face box, second form", params, find).array
    )
    if how == "haar" and box.found != "haar":
        if policies.face == "exclude":
            raise UnusableClipError("no face was found on the onset frame")
        work.causes.add("no face was found, the centre of the frame stands in")
    if box.faces > 1:
        work.causes.add("several faces were found, the largest one is taken")
    return {"box": box.packed().tolist()}


def _stack(
    work: _Work,
    wanted: Sequence[int],
    size: int,
    crop: Mapping[str, Any],
    policies: Policies,
    channels: int = 1,
) -> cache.Entry:
    """Return frames as uint8 (n, size, size) or (n, size, size, 3) in RGB."""
    box = faces.FaceBox.unpacked(np.array(crop["box"])) if crop else None

    def resize(pictures: Sequence[np.ndarray]) -> np.ndarray:
        if box is not None:  # pixels of the onset frame: those of another size are brought to it
            shape = pictures[0].shape[1::-1]
            same = [cv2.resize(p, shape) if p.shape[1::-1] != shape else p for p in pictures]
            pictures = [faces.apply_box(picture, box) for picture in same]
        small = [cv2.resize(p, (size, size), interpolation=cv2.INTER_AREA) for p in pictures]
        if channels == 3:
            small = [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in small]
        return np.stack(small)

    params: dict[str, Any] = {"size": size, "opencv": cv2.__version__, **crop}
    step = "gray frames, area-resized, 8 bits"
    if channels == 3:
        params["colour"], step = True, "colour frames, area-resized, 8 bits"
    entry = work.footage.fetch(wanted, step, params, resize)
    _remark(work, wanted, entry.array, entry.facts["formats"], policies, entry.facts["shapes"])
    if entry.not_stored:
        work.causes.add(f"not written to the cache ({entry.not_stored})")
    return entry


def _remark(
    work: _Work,
    wanted: Sequence[int],
    pictures: Sequence[np.ndarray] | np.ndarray,
    formats: Sequence[str | None],
    policies: Policies,
    shapes: int | None = None,
) -> None:
    """Note what is odd about some decoded frames, or stop where a policy says so."""
    if (shapes or len({picture.shape for picture in pictures})) > 1:
        if policies.sizes == "error":
            raise FrameError(
                f"{work.footage.path}: frames of different sizes in one clip; expected one size: "
                "check the folder, or let each be resized with data.policies.sizes=resize"
            )
        work.causes.add("frames of different sizes in one clip, each resized")
    work.causes |= work.footage.misnamed(wanted, formats)
    if not any(picture.any() for picture in pictures):
        work.causes.add("all frames are black")
    elif len(pictures) > 1 and all(np.array_equal(p, pictures[0]) for p in pictures[1:]):
        work.causes.add("all frames are identical")


def spotting_error(row: Mapping[str, Any], footage: Footage, policies: Policies) -> Loaded:
    """Spot the apex of a clip as if nobody had annotated it, and compare.

    Args and errors are those of ``load_clip``.

    Returns:
        As its array, the distance to the annotated apex as a share of the clip's length.
    """
    work = _Work(row, footage)
    span = _span(work)
    if span.apex is None:
        raise UnusableClipError("apex not annotated: nothing to compare with")
    found = _spotted(work, span, {}, policies)
    error = spotting.apex_error(found.apex, span.apex, span.offset - span.onset + 1)
    return Loaded(np.array([error]))


def _spotted(work: _Work, span: _Span, crop: Mapping[str, Any], policies: Policies) -> _Marks:
    wanted = [n for n in work.numbers if span.onset <= n <= span.offset]
    entry = _stack(work, wanted, spotting.SIZE, crop, policies)

    def spot(stack: np.ndarray) -> tuple[np.ndarray, cache.Facts]:
        marks = spotting.spot(stack)
        return np.array([marks.onset, marks.apex, marks.offset]), {}

    found = cache.derive(entry, "marks spotted", {"opencv": cv2.__version__}, spot)
    return _Marks(*(wanted[int(place)] for place in found.array))


def _with_apex(work: _Work, span: _Span, crop: Mapping[str, Any], policies: Policies) -> _Span:
    """Let the middle frame stand in for an apex that nobody annotated, or spot it.

    Onset and offset are spotted with it where nobody annotated any of the three.
    """
    if policies.apex != "spot":
        work.causes.add(NO_APEX)
        return span
    found = _spotted(work, span, crop, policies)
    if pd.isna(work.row["onset"]) and pd.isna(work.row["offset"]):
        work.causes.add("onset, apex and offset not annotated, spotted from optical flow")
        return _Span(*found)
    work.causes.add("apex not annotated, spotted from optical flow")
    return span._replace(apex=found.apex)


def _frames(
    work: _Work, span: _Span, clip: Clip, crop: Mapping[str, Any], policies: Policies
) -> np.ndarray:
    wanted = sampling.SAMPLINGS[clip.sampling](*span, clip.frames)
    taken = work.nearest(wanted)
    if clip.magnification is None:
        unique = sorted(set(taken))
        entry = _stack(work, unique, clip.size, crop, policies, clip.channels)
    else:
        unique = [n for n in work.numbers if span.onset <= n <= span.offset]
        entry = _stack(work, unique, clip.size, crop, policies, clip.channels)
        entry = _magnified(work, entry, clip)
    places = {number: place for place, number in enumerate(unique)}
    array = entry.array[[places[number] for number in taken]]
    if clip.sampling == "interpolated":
        array = _interpolated(array, clip.frames)
    if len(set(taken)) < clip.frames:
        work.causes.add(f"fewer than {clip.frames} different frames, some stand twice")
    array = array if clip.channels == 3 else array[..., np.newaxis]
    return array[0] if clip.frames == 1 else array


def _interpolated(array: np.ndarray, frames: int) -> np.ndarray:
    before, share = sampling.interpolation_weights(len(array), frames)
    after = np.minimum(np.array(before) + 1, len(array) - 1)
    weight = np.array(share, np.float32).reshape(-1, *[1] * (array.ndim - 1))
    return array[before] * (1 - weight) + array[after] * weight


def _magnified(work: _Work, entry: cache.Entry, clip: Clip) -> cache.Entry:
    asked = clip.magnification
    assert asked is not None  # noqa: S101 - the caller's condition
    fps = asked.fps or work.footage.fps or work.row["fps"]
    if pd.isna(fps):
        raise FrameError(
            f"clip {work.row['sample_id']!r} has no frame rate, which magnification needs: set "
            "data.clip.magnification.fps"
        )
    params = magnification.Magnification(**asked.model_dump(exclude={"fps"}), fps=float(fps))
    note = magnification.band_note(len(entry.array), params)
    if note:
        work.causes.add(note)

    def magnify(stack: np.ndarray) -> tuple[np.ndarray, cache.Facts]:
        result = magnification.magnify(stack.astype(np.float32) / np.float32(255), params)
        return np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8), {}

    described = {**asked.model_dump(), "fps": float(fps), "opencv": cv2.__version__}
    return cache.derive(entry, "magnified, second form", described, magnify)


def _flow(
    work: _Work, span: _Span, clip: Clip, crop: Mapping[str, Any], policies: Policies
) -> np.ndarray:
    apex = sampling.middle(span.onset, span.offset) if span.apex is None else span.apex
    taken = work.nearest([span.onset, apex])
    entry = _stack(work, sorted(set(taken)), clip.flow.compute_size, crop, policies)
    method = flow.FlowMethod(clip.flow.method)

    magnitude = clip.flow.output == "magnitude"
    make = flow.flow_magnitude if magnitude else flow.flow_image

    def image(stack: np.ndarray) -> tuple[np.ndarray, cache.Facts]:
        return make(stack[0], stack[-1], size=clip.size, method=method), {}

    params = {"method": clip.flow.method, "size": clip.size, "opencv": cv2.__version__}
    try:
        return cache.derive(entry, "flow " + clip.flow.output, params, image).array
    except FrameError as error:
        raise FrameError(f"clip {work.row['sample_id']!r}: {error}") from error
