"""One clip, step by step: box of the face, frames, magnification, spotting, sampling, flow.

Each step is cached by what it reads and nothing else: a changed number of frames doesn't look for
the face again, a changed amplification doesn't decode again.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import cv2
import numpy as np

from mer_keras.arrays import Array
from mer_keras.clips import cache, flow, flow_pictures, magnification, sampling
from mer_keras.clips.clip_frames import ClipFrames, Stack, WholeFrames
from mer_keras.clips.footage import Footage, Picture, UnusableClipError
from mer_keras.clips.interpolation import interpolate
from mer_keras.clips.marks import NO_APEX, Marks, annotated_marks, spotted_marks, with_apex
from mer_keras.clips.motionless import (
    ONE_FRAME,
    SAME_FRAME,
    STILL_FLOW,
    motionless,
    require_pictures,
)
from mer_keras.clips.normalisation import Pixels, normalise_clip
from mer_keras.clips.sample import Sample
from mer_keras.clips.sequences import FEWER, dynamic_image_of, flow_sequence_of, interpolated
from mer_keras.clips.spotting import apex_error
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, FlowOutput, Magnification, input_key
from mer_keras.errors import FrameError

Result = TypeVar("Result")


class Loaded(NamedTuple, Generic[Result]):
    """What was computed of one clip, and what a reader should know of it.

    Attributes:
        result: see the function that returns it.
        remarks: what was accepted, but a report should mention.
        farthest: frames between a requested frame and the one that stands in for it, at most.
    """

    result: Result
    remarks: tuple[str, ...] = ()
    farthest: int = 0


def load_clip(sample: Sample, footage: Footage, clip: Clip, policies: Policies) -> Loaded[Pixels]:
    """Do all that a config asks for to one clip.

    Args:
        sample: the clip.
        footage: its frames.
        clip: what to load, of any kind but ``flow_image``.
        policies: what to do about faults that leave a choice.

    Returns:
        uint8 (frames, size, size, channels), a single frame without the first axis, or float32
        where values were changed: in 0..255 either way, but with ``normalise`` as that leaves them.
        Flow: float32 (size, size, 3), in 0..255 as image, in pixels as field; its magnitude: (size,
        size, 1) in pixels. A dynamic image: uint8 (size, size, channels). A sequence of flow:
        float32 (frames, size, size, channels).

    Raises:
        UnusableClipError: the clip must be left out.
        FrameError: an image or folder breaks what the config expects.
    """
    frames = ClipFrames(sample, footage, policies)
    marks = annotated_marks(frames)
    _locate_face(frames, marks, clip)
    whole = (
        clip.kind in ("dynamic_image", "flow_sequence") or clip.sampling in sampling.WITHOUT_APEX
    )
    needs_apex = clip.kind == "flow" or not whole
    if marks.apex is None and needs_apex:
        marks = with_apex(frames, marks)
    load: Callable[[ClipFrames, Marks, Clip], Pixels] = {
        "flow": _flow,
        "dynamic_image": dynamic_image_of,
        "flow_sequence": flow_sequence_of,
    }.get(clip.kind, _frames)
    array = load(frames, marks, clip)
    return Loaded(normalise_clip(array, clip.normalise), tuple(frames.remarks), frames.farthest)


def check_clip(sample: Sample, footage: Footage, policies: Policies) -> Loaded[bytes]:
    """Decode every frame of a clip.

    Args and errors are those of ``load_clip``.

    Returns:
        A digest of the decoded frames, by which a clip that stands twice is known.
    """
    frames = ClipFrames(sample, footage, policies)
    marks = annotated_marks(frames)
    numbers = sorted(set(frames.nearest(range(marks.onset, marks.offset + 1))))
    pictures, formats = footage.read(numbers)
    frames.remark(numbers, pictures, formats, len({picture.shape for picture in pictures}))
    if marks.apex is None and policies.apex == "middle":
        frames.remarks.add(NO_APEX)
    if len(frames.numbers) > 1 and len(_onset_and_apex(frames, marks)) == 1:
        frames.remarks.add(SAME_FRAME)
    digest = hashlib.blake2b(digest_size=16)
    for picture in pictures:
        digest.update(str(picture.shape).encode())
        digest.update(picture.tobytes())
    return Loaded(digest.digest(), tuple(frames.remarks), frames.farthest)


def spotting_error(sample: Sample, footage: Footage, policies: Policies) -> Loaded[float]:
    """Spot the apex of a clip as if nobody had annotated it, and compare.

    Args and errors are those of ``load_clip``; a clip without an annotated apex can't be used.

    Returns:
        The distance to the annotated apex, as a share of the clip's length.
    """
    frames = ClipFrames(sample, footage, policies)
    marks = annotated_marks(frames)
    if marks.apex is None:
        raise UnusableClipError("apex not annotated: nothing to compare with")
    _, apex, _ = spotted_marks(frames, marks)
    return Loaded(apex_error(apex, marks.apex, marks.offset - marks.onset + 1))


def _locate_face(frames: ClipFrames, marks: Marks, clip: Clip) -> None:
    if clip.crop == "none":
        return
    frames.locate(clip.crop, marks.onset, align=clip.align)
    assert frames.box is not None  # noqa: S101 - It was just set.
    if clip.crop in ("haar", "mesh") and frames.box.crop != clip.crop:
        if frames.policies.face == "exclude":
            raise UnusableClipError("no face was found on the onset frame")
        frames.remarks.add("no face was found, the centre of the frame stands in")
    if frames.box.faces > 1:
        frames.remarks.add("several faces were found, the largest one is taken")


def _frames(frames: ClipFrames, marks: Marks, clip: Clip) -> Pixels:
    numbers = frames.nearest(sampling.sampled(clip, *marks))
    recipe = clip.magnification
    if recipe is None:
        stacked = sorted(set(numbers))
        entry = frames.stack(stacked, clip.size, clip.channels, part=clip.part)
    elif recipe.before_crop:
        stacked = sorted(set(numbers))
        entry = _magnified_before_crop(frames, marks, stacked, clip, recipe)
    else:
        stacked = frames.between(marks.onset, marks.offset)
        entry = frames.stack(stacked, clip.size, clip.channels)
        entry = _magnified(frames, entry, recipe)
    if clip.frames != 1:
        if len(set(numbers)) == 1:
            frames.remarks.add(motionless(ONE_FRAME, frames.policies))
        require_pictures(frames.remarks, frames.policies)
    index_of = {number: index for index, number in enumerate(stacked)}
    stack = entry.array[[index_of[number] for number in numbers]]
    array: Pixels = stack
    if clip.frames is not None:
        if clip.sampling == "interpolated":
            array = interpolated(stack, clip.frames)
        elif clip.sampling == "tim":
            array = interpolate(stack, clip.frames, clip.interpolation)
        if len(set(numbers)) < clip.frames:
            remark = FEWER.format(clip.frames)
            if clip.sampling not in ("interpolated", "tim"):
                remark = f"fewer than {clip.frames} different frames, some stand twice"
            frames.remarks.add(remark)
    array = array if clip.channels == 3 else array[..., np.newaxis]
    return array[0] if clip.frames == 1 else array


def _magnified(
    frames: ClipFrames, entry: cache.Entry[np.uint8], recipe: Magnification
) -> cache.Entry[np.uint8]:
    fps = _frame_rate(frames, recipe, len(entry.array))

    def magnify(stack: Stack) -> Stack:
        result = magnification.magnify(stack.astype(np.float32) / np.float32(255), recipe, fps)
        return np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8)

    return cache.derive(entry, "magnified, third form", _described(recipe, fps), magnify)


def _magnified_before_crop(
    frames: ClipFrames,
    marks: Marks,
    numbers: list[int],
    clip: Clip,
    recipe: Magnification,
) -> cache.Entry[np.uint8]:
    """Magnify some frames at their full size, then cut and resize them."""
    clip_numbers = frames.between(marks.onset, marks.offset)
    fps = _frame_rate(frames, recipe, len(clip_numbers))
    if recipe.temporal_filter in magnification.CAUSAL:
        clip_numbers = [number for number in clip_numbers if number <= numbers[-1]]
    indices = [clip_numbers.index(number) for number in numbers]

    def magnify(pictures: Sequence[Picture]) -> list[Picture]:
        return magnification.magnify_pictures(pictures, indices, recipe, fps)

    params: cache.Parameters = {"frames": [*indices], **_described(recipe, fps)}
    whole_frames = WholeFrames("magnified", params, magnify)
    return frames.stack(clip_numbers, clip.size, clip.channels, whole_frames)


def _frame_rate(frames: ClipFrames, recipe: Magnification, count: int) -> float:
    """Frames a second that the band is reckoned with; notes what the band does to a clip."""
    fps = recipe.fps or frames.footage.fps or frames.sample.fps
    if fps is None:
        raise FrameError(
            f"clip {frames.sample.sample_id!r} has no frame rate, which magnification needs: set "
            f"{input_key('magnification.fps')}"
        )
    note = magnification.band_note(count, recipe, fps)
    if note:
        frames.remarks.add(note)
    return fps


def _described(recipe: Magnification, fps: float) -> cache.Parameters:
    return {**recipe.model_dump(), "fps": fps, "opencv": cv2.__version__}


def _onset_and_apex(frames: ClipFrames, marks: Marks) -> list[int]:
    """Return the frames on disk of onset and apex, or the one that is both.

    The middle frame stands in for an apex that nobody annotated.
    """
    apex = sampling.middle(marks.onset, marks.offset) if marks.apex is None else marks.apex
    return sorted(set(frames.nearest([marks.onset, apex])))


def _flow(frames: ClipFrames, marks: Marks, clip: Clip) -> Array:
    numbers = _onset_and_apex(frames, marks)
    if len(numbers) == 1:
        frames.remarks.add(motionless(SAME_FRAME, frames.policies))
    entry = frames.stack(numbers, clip.flow.compute_size)
    require_pictures(frames.remarks, frames.policies)
    steps: dict[FlowOutput, tuple[str, Callable[..., flow.Field]]] = {
        "image": ("flow image, with floors", flow.flow_image),
        "field": ("flow field", flow.flow_field),
        "magnitude": ("flow magnitude", flow.flow_magnitude),
        "picture": ("flow picture", flow_pictures.flow_picture),
        "colour": ("flow colours", flow_pictures.flow_colours),
    }
    step, compute = steps[clip.flow.output]
    parts = {"parts": clip.flow_channels} if clip.flow.output == "picture" else {}

    def onset_to_apex(stack: Stack) -> Array:
        return compute(stack[0], stack[-1], size=clip.size, method=clip.flow.method, **parts)

    params: cache.Parameters = {
        "method": clip.flow.method,
        "size": clip.size,
        "opencv": cv2.__version__,
        **{name: [*values] for name, values in parts.items()},
    }
    try:
        array = cache.derive(entry, step, params, onset_to_apex).array
    except FrameError as error:
        raise FrameError(f"clip {frames.sample.sample_id!r}: {error}") from error
    if len(numbers) > 1 and flow.is_still(array, clip.flow.output):
        frames.remarks.add(motionless(STILL_FLOW, frames.policies))
    return array
