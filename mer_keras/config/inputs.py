"""Clip recipes: what becomes of a clip before a method sees it."""

import math
from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel
from mer_keras.flow_channels import FLOW_CHANNELS, FlowOrder

#: How a fixed number of frames is chosen (see ``clips.sampling``).
Sampling = Literal[
    "around_apex", "uniform_with_apex", "apex_window", "apex", "last", "interpolated", "tim"
]

#: How flow is computed (see ``clips.flow``).
FlowMethod = Literal["tvl1", "farneback", "dis"]

#: What is made of flow (see ``Flow``).
FlowOutput = Literal["image", "field", "magnitude", "picture", "colour"]

#: What a channel of a ``picture`` or of a sequence of flow can hold.
FlowPart = Literal["u", "v", "magnitude", "strain"]
#: The parts where nothing else is said.
FLOW_PARTS: tuple[FlowPart, ...] = ("u", "v", "magnitude")

#: Bounds of a part of a square: top, bottom, left, right, as shares of its side.
PartBounds = tuple[float, float, float, float]


def input_key(key: str) -> str:
    """How a message names a key of an input, where the input's own name isn't known."""
    return f"{key!r} of the input (inputs.NAME.{key})"


class Magnification(StrictModel):
    """Eulerian magnification of all frames of a clip (see ``clips.magnification``)."""

    alpha: float = Field(gt=0, allow_inf_nan=False)
    """Amplification: a change in the band becomes (1 + alpha) times as large."""
    low: float = Field(gt=0, allow_inf_nan=False)
    """Lower bound of the band in Hz; with the filter ``iir``, its second coefficient, in 0..1."""
    high: float = Field(gt=0, allow_inf_nan=False)
    """Upper bound of the band in Hz, at most half the frame rate; with the filter ``iir``, its
    first coefficient, in 0..1.
    """
    temporal_filter: Literal["ideal", "butterworth", "iir"] = "ideal"
    """``ideal`` keeps the discrete Fourier components in the band and no other. ``butterworth`` is
    a causal first-order band-pass that starts settled on the first frame: started from zero it
    would ring with twenty times the signal. ``iir`` is the difference of two first-order low-passes
    with the coefficients ``high`` and ``low`` (the authors' own code has this form; 0.1 and 0.4 are
    perhaps meant so where a paper speaks of 0.1-0.4 Hz on clips of a third of a second). It starts
    on the first frame, too.
    """
    ideal_mask: Literal["textbook", "half"] = "textbook"
    """What the filter ``ideal`` passes of the components in its band: all, as its definition has
    it, or ``half``, as code does that masks the frequencies above zero, not those below, and keeps
    the real part (so the MATLAB code of the method's authors): alpha is in effect half of what is
    written.
    """
    before_crop: bool = False
    """Whether whole frames are magnified, at their own size, before they are cut and resized; else
    what is cut out and resized is.
    """
    pyramid: Literal["gaussian", "laplacian"] = "gaussian"
    """``gaussian`` amplifies what is left after ``levels`` halvings of the frames; ``laplacian``
    amplifies every band of the pyramid, but the finest band and the coarsest remainder only with
    ``outer_levels``.
    """
    levels: int = Field(default=2, ge=0, le=10)
    """Halvings of the frames; with 0, frames are filtered in time alone, at full size."""
    wavelength_cutoff: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Pixels; of a ``laplacian`` pyramid, bands of shorter waves are amplified less (see
    ``clips.magnification.alpha_at``), as motion and noise would break up in them; null: all alike.
    """
    outer_levels: bool = False
    """Whether a ``laplacian`` pyramid's finest band and coarsest remainder are amplified too; the
    authors' code leaves them alone.
    """
    fps: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Frames a second that the band is reckoned with; null takes the clip's own."""

    @model_validator(mode="after")
    def _band_and_pyramid_are_possible(self) -> "Magnification":
        top = 1.0 if self.temporal_filter == "iir" else math.inf
        if not self.low < self.high <= top:
            raise ValueError(
                f"band {self.low:g} to {self.high:g}: expected low < high, and high <= 1 for 'iir'"
            )
        if self.ideal_mask != "textbook" and self.temporal_filter != "ideal":
            raise ValueError("'ideal_mask' is for the filter 'ideal'")
        banded = self.pyramid == "laplacian" and self.levels > 0
        if banded and self.levels == 1 and not self.outer_levels:
            raise ValueError(
                "a laplacian pyramid of 1 level has only the two outer ones: expected 2 levels or "
                "more, or 0 to filter in time alone"
            )
        if not banded and (self.wavelength_cutoff is not None or self.outer_levels):
            raise ValueError(
                "'wavelength_cutoff' and 'outer_levels' are for a laplacian pyramid with levels"
            )
        return self


class Flow(StrictModel):
    """Optical flow from onset to apex, or from frame to frame (see ``clips.flow``)."""

    method: FlowMethod = "tvl1"
    """How flow is computed."""
    compute_size: int = Field(default=128, ge=16, le=1024)
    """Side in pixels of the squares that flow is computed on, before it is made smaller."""
    output: FlowOutput = "image"
    """``field`` is (u, v, strain): flow to the right and flow down, signed, in pixels of these
    squares, and optical strain in pixels a pixel. ``image`` is the same, each channel scaled by its
    own range to 0..255. ``magnitude`` is the length of the flow in pixels, one channel. ``picture``
    is flow as an image file of 8 bits holds it, a sixteenth of a pixel a step, and ``colour`` its
    direction as hue and its length as brightness, in RGB (see ``clips.flow_pictures``); both are in
    0..255. A ``flow_sequence`` is of ``field`` or ``picture``.
    """
    channels: tuple[FlowPart, ...] | None = Field(default=None, min_length=1)
    """Channels of a ``picture`` and of a ``flow_sequence``; null: u, v and magnitude."""


class TemporalInterpolation(StrictModel):
    """How the sampling ``tim`` makes frames (see ``clips.interpolation``)."""

    positions: Literal["ends", "steps"] = "ends"
    """Moments of m frames, 0 being the clip's first and 1 its last: ``ends`` are m evenly spaced
    ones from 0 to 1, ``steps`` are 1/m to 1.
    """
    rounded: bool = True
    """Whether gray values become whole numbers in 0..255, as in image files; else they may leave
    that range.
    """


class Clip(StrictModel):
    """What a method is given of each clip."""

    kind: Literal["frames", "flow", "flow_image", "dynamic_image", "flow_sequence"]
    """``frames`` gives images, scaled to 0..1. ``flow`` gives (u, v, strain), horizontal and
    vertical flow and optical strain, computed from the onset and the apex frame. ``flow_image``
    gives the same, computed by the database's publishers: values as its file holds them (0..255),
    channels in the same order, whatever the file's is. ``dynamic_image`` is a weighted sum of all
    frames, an image in 0..1 (see ``clips.sequences``). ``flow_sequence`` gives ``frames`` images of
    flow, each between two neighbours of frames that are interpolated in time.
    """
    frames: int | None = Field(default=1, ge=1, le=512)
    """Images of a clip; one is an image, without a time axis. Left out with sampling ``whole``."""
    size: int = Field(default=90, ge=8, le=1024)
    """Side of each image in pixels; of a ``flow_image``, that of its file."""
    resize_to: int | None = Field(default=None, ge=8, le=1024)
    """Side that a ``flow_image`` is brought to for networks that need a larger one."""
    image: str | None = None
    """Which of several images of a clip a ``flow_image`` is; null: the first."""
    channel_order: FlowOrder | None = None
    """What red, green and blue of a ``flow_image`` are, where its database doesn't say."""
    channels: Literal[1, 3] = 1
    """1: gray. 3: RGB."""
    part: PartBounds | None = None
    """Of ``frames``: the part of the crop that is resized, from top, bottom, left and right, as
    shares of the crop's height and width; null: all of it.
    """
    rank_pooling: Literal["published_code", "bilen"] = "published_code"
    """Weights of a ``dynamic_image``: those of LEARNet's public code, whose sum is the number of
    frames, or those of approximate rank pooling as Bilen et al. define it, whose sum is 0.
    """
    sampling: Sampling | Literal["whole"] = "around_apex"
    """Which frames. ``whole``: all from the onset to the offset, so that every clip has its own
    length.
    """
    interpolation: TemporalInterpolation = TemporalInterpolation()
    """How frames are interpolated, for the sampling ``tim``."""
    crop: Literal["none", "centre", "haar", "mesh"] = "none"
    """Which part of a frame; ``haar`` and ``mesh`` find the face on the onset frame, ``mesh`` by
    the landmarks of the extra ``[face]``.
    """
    align: bool | Literal["three_points"] = True
    """Whether the eyes are levelled, after ``haar`` and ``mesh``; ``three_points``, for ``mesh``,
    moves the inner corners of the eyes and the point under the nose to fixed positions. One
    transform, that of the onset frame, serves the whole clip: it adds no jitter.
    """
    magnification: Magnification | None = None
    """Eulerian magnification of the frames."""
    flow: Flow = Flow()
    """How flow is computed, for the kind ``flow``."""
    normalise: Literal["none", "unit", "standard"] = "none"
    """Done clip by clip: ``unit`` to 0..1, ``standard`` to mean 0 and standard deviation 1."""

    @model_validator(mode="before")
    @classmethod
    def _whole_clips_need_no_frames(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("sampling") == "whole":
            return {"frames": None, **values}
        return values

    @model_validator(mode="after")
    def _whole_clips_have_no_number_of_frames(self) -> "Clip":
        whole = self.sampling == "whole"
        if whole and self.kind != "frames":
            raise ValueError(f"sampling 'whole' is for kind 'frames', not for {self.kind!r}")
        if whole != (self.frames is None):
            raise ValueError(
                "'frames' must be left out, or null, with sampling 'whole', where every clip has "
                "its own length, and must be a number with any other sampling"
            )
        return self

    @model_validator(mode="after")
    def _images_of_whole_clips_have_their_own_keys(self) -> "Clip":
        if self.kind == "dynamic_image" and self.frames != 1:
            raise ValueError("'dynamic_image' is one image: leave 'frames' out")
        if self.kind == "flow_sequence":
            if self.sampling not in ("interpolated", "tim"):
                raise ValueError("'flow_sequence' needs sampling interpolated or tim")
            if self.flow.output not in ("field", "picture"):
                raise ValueError("'flow_sequence' needs flow.output field or picture")
        if self.kind in ("dynamic_image", "flow_sequence") and self.magnification is not None:
            raise ValueError(f"'magnification' is not for kind {self.kind!r}")
        pictures = self.kind == "flow" and self.flow.output == "picture"
        if self.flow.channels is not None and not pictures and self.kind != "flow_sequence":
            raise ValueError("'flow.channels' is for flow.output picture and for flow_sequence")
        return self

    @model_validator(mode="after")
    def _a_part_lies_inside_its_crop(self) -> "Clip":
        if self.part is not None:
            top, bottom, left, right = self.part
            if self.kind != "frames" or not (0 <= top < bottom <= 1 and 0 <= left < right <= 1):
                raise ValueError(
                    "'part' is for kind 'frames': top, bottom, left and right as shares, 0 <= top "
                    "< bottom <= 1 and 0 <= left < right <= 1"
                )
            if self.magnification is not None:
                raise ValueError("'part' is not for magnified frames")
        return self

    @model_validator(mode="after")
    def _only_the_mesh_has_three_points(self) -> "Clip":
        if self.align == "three_points" and self.crop != "mesh":
            raise ValueError(
                f"align 'three_points' needs the landmarks of crop 'mesh', not {self.crop!r}"
            )
        return self

    @model_validator(mode="after")
    def _only_flow_images_have_a_name_and_an_order(self) -> "Clip":
        for key, value in (("image", self.image), ("channel_order", self.channel_order)):
            if value is not None and self.kind != "flow_image":
                raise ValueError(f"{key!r} is for kind 'flow_image', not for {self.kind!r}")
        if self.channel_order and sorted(self.channel_order) != sorted(FLOW_CHANNELS):
            raise ValueError(
                f"'channel_order' must name each of {', '.join(FLOW_CHANNELS)} once, found "
                f"{', '.join(self.channel_order)}"
            )
        return self

    @model_validator(mode="after")
    def _only_flow_images_are_resized(self) -> "Clip":
        if self.resize_to is not None and (self.kind != "flow_image" or self.resize_to < self.size):
            raise ValueError("'resize_to' is for flow_image, and no smaller than 'size'")
        return self

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of a clip, (frames, height, width, channels) or (height, width, channels)."""
        channels: int = self.channels
        if self.kind == "flow_image":
            channels = len(FLOW_CHANNELS)
        elif self.kind in ("flow", "flow_sequence"):
            channels = len(self.flow_channels)
        return (*self.grid, channels)

    @property
    def flow_channels(self) -> tuple[str, ...]:
        """Names of the channels of computed flow."""
        if self.kind == "flow_sequence" or self.flow.output == "picture":
            return self.flow.channels or FLOW_PARTS
        by_output = {"magnitude": ("magnitude",), "colour": ("red", "green", "blue")}
        return by_output.get(self.flow.output, FLOW_CHANNELS)

    @property
    def grid(self) -> tuple[int | None, ...]:
        """Frames, height and width of a clip; one image has no frames, a whole clip any number."""
        side = self.resize_to or self.size
        has_time = self.kind == "flow_sequence" or (self.kind == "frames" and self.frames != 1)
        return (self.frames, side, side) if has_time else (side, side)
