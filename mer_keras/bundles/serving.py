"""Frames of a video -> the inputs of a bundle, by the clip steps of the training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array, OneInput
from mer_keras.bundles.card import BundledInput, Card
from mer_keras.clips import cache
from mer_keras.clips.footage import Footage, Picture, UnusableClipError
from mer_keras.clips.normalisation import normalise_clip
from mer_keras.clips.sample import Sample
from mer_keras.clips.steps import load_clip
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, Flow
from mer_keras.errors import FrameError, UserError
from mer_keras.flow_channels import FLOW_CHANNELS

Value = TypeVar("Value", bound=np.generic)

#: Kinds of inputs that are pictures in 0..255 before they are scaled to 0..1.
_PICTURES = ("frames", "dynamic_image")


@dataclass(frozen=True)
class Serving:
    """How the frames of a video become an input.

    Attributes:
        clip: the recipe; None where frames can't become this input.
        matched: whether it is what was done to the training clips.
        remarks: how it differs, or why it can't be done.
    """

    clip: Clip | None
    matched: bool
    remarks: tuple[str, ...] = ()


def serving_of(clip: Clip, channels: Sequence[str] | None) -> Serving:
    """Say how the frames of a video become an input that a method was trained on.

    Args:
        clip: how training clips were loaded.
        channels: what its channels are, where it is flow.
    """
    if clip.kind == "flow_image":
        return _serving_of_stored(clip, tuple(channels or ()))
    if clip.crop == "none":
        return Serving(
            clip.model_copy(update={"crop": "haar"}),
            matched=False,
            remarks=(
                "the training frames were cropped by others; here the face is found and cut out, "
                "which is another crop",
            ),
        )
    return Serving(clip, matched=True)


def _serving_of_stored(clip: Clip, channels: tuple[str, ...]) -> Serving:
    """Flow that a database's publishers computed, computed here as far as it is known how."""
    if channels != FLOW_CHANNELS:
        return Serving(
            None,
            matched=False,
            remarks=(
                f"the training images hold {', '.join(channels)}, which nothing here computes "
                "from frames",
            ),
        )
    recipe = Clip(
        kind="flow",
        size=clip.size,
        crop="haar",
        flow=Flow(method="tvl1", output="image"),
        normalise=clip.normalise,
    )
    return Serving(
        recipe,
        matched=False,
        remarks=(
            "the training flow was computed and cropped by its publishers; here it is TV-L1 flow "
            "from onset to apex on the face that is found, which is another crop and another "
            "scaling",
        ),
    )


def inputs_of_frames(
    card: Card,
    frames: Sequence[Picture],
    times: Sequence[float],
    onset: int,
    apex: int | None,
    offset: int,
    remarks: set[str] | None = None,
) -> dict[str, OneInput]:
    """Make one clip of every input of a bundle from frames, by the clip steps of the training.

    Nothing is written to the cache.

    Args:
        card: of the bundle.
        frames: uint8 (height, width, 3) in OpenCV's order, or (height, width), of one size.
        times: seconds of each frame, from any moment on.
        onset: position in ``frames`` of the first frame of the expression.
        apex: position of its strongest frame; None: the middle one stands in.
        offset: position of its last frame, inclusive.
        remarks: takes what was accepted but a reader should know, if it is given.

    Returns:
        by name of the input, (1, ...) float32, or a list of one clip where clips differ in length.

    Raises:
        UserError: an input can't be made from frames, the positions are not in order or not among
            the frames, a frame has another form, or the clip can't be used.
    """
    _check(frames, times, onset, apex, offset)
    footage = _Frames.of(frames, times)
    sample = Sample("video", "video", "video", Path("video"), onset, apex, offset, footage.fps)
    inputs: dict[str, OneInput] = {}
    for name in card.reads:
        array, of_input = _load(card.inputs[name], sample, footage, name)
        inputs[name] = [array] if None in card.inputs[name].shape else array[np.newaxis]
        if remarks is not None:
            remarks.update(of_input)
    return inputs


def _load(
    entry: BundledInput, sample: Sample, footage: "_Frames", name: str
) -> tuple[Array, tuple[str, ...]]:
    """Load one clip as ``clips.assemble.load_clips`` loads training clips."""
    if entry.serving is None:
        reasons = "; ".join(entry.remarks)
        raise UserError(f"input {name!r} can't be made from frames: {reasons}")
    side = entry.clip.resize_to if entry.clip.kind == "flow_image" else None
    # Stored flow is resized before it is normalised.
    changes = {} if side is None else {"normalise": "none"}
    try:
        loaded = load_clip(sample, footage, entry.serving.model_copy(update=changes), Policies())
    except UnusableClipError as error:
        raise FrameError(f"the clip can't be used: {error}") from error
    array = np.asarray(loaded.result, np.float32)
    if entry.serving.kind in _PICTURES and entry.serving.normalise == "none":
        array = array / np.float32(255)
    if side is not None:
        resized = cv2.resize(array, (side, side), interpolation=cv2.INTER_LINEAR)
        array = np.asarray(normalise_clip(resized, entry.serving.normalise), np.float32)
    return array, loaded.remarks


def _check(
    frames: Sequence[Picture], times: Sequence[float], onset: int, apex: int | None, offset: int
) -> None:
    middle = onset if apex is None else apex
    if not 0 <= onset <= middle <= offset < len(frames) == len(times):
        raise UserError(
            f"onset {onset}, apex {apex}, offset {offset} of {len(frames)} frames with "
            f"{len(times)} times: expected 0 <= onset <= apex <= offset < frames"
        )
    shapes = {frame.shape for frame in frames}
    shape = next(iter(shapes))
    forms = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    if len(shapes) > 1 or not forms or any(frame.dtype != np.uint8 for frame in frames):
        raise FrameError(
            f"frames of shape {', '.join(map(str, sorted(shapes)))}, expected uint8 (height, "
            "width, 3) or (height, width), all of one size"
        )


@dataclass(frozen=True)
class _Frames(Footage):
    """Frames in memory, numbered from 0; what is made of them is not cached."""

    pictures: Sequence[Picture] = field(default_factory=tuple)

    @classmethod
    def of(cls, frames: Sequence[Picture], times: Sequence[float]) -> "_Frames":
        """Wrap frames; the frame rate is that of the median step in time."""
        steps = np.diff(np.asarray(times, np.float64))
        step = float(np.median(steps)) if len(steps) else 0.0
        fps = 1 / step if step > 0 else None
        return cls(Path("video"), frame_count=len(frames), fps=fps, pictures=tuple(frames))

    def fetch(
        self,
        numbers: Sequence[int],
        step: str,
        params: cache.Parameters,
        compute: Callable[[Sequence[Picture]], NDArray[Value]],
    ) -> cache.Entry[Value]:
        """See ``Footage.fetch``; nothing is stored."""
        pictures = [self._picture(number, colour=bool(params.get("colour"))) for number in numbers]
        facts: cache.Facts = {"formats": [], "shapes": len({p.shape for p in pictures})}
        return cache.Entry(compute(pictures), facts)

    def read(self, numbers: Sequence[int]) -> tuple[list[Picture], list[str | None]]:
        """See ``Footage.read``."""
        return [self._picture(number, colour=False) for number in numbers], []

    def _picture(self, number: int, *, colour: bool) -> Picture:
        picture = self.pictures[number]
        if not colour and picture.ndim == 3:
            return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        if colour and picture.ndim == 2:
            return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
        return picture
