"""Clip recipes: what becomes of a clip before a method sees it."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel

Sampling = Literal[
    "around_apex", "uniform_with_apex", "apex_window", "apex", "last", "interpolated"
]


class Magnification(StrictModel):
    """Eulerian magnification of all frames of a clip (see ``clips.magnification``).

    ``low`` and ``high`` bound the band: in Hz, but of ``iir`` they are the two coefficients.
    ``fps``: frames a second that the band is reckoned with; None takes the clip's own.
    """

    alpha: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    temporal_filter: Literal["ideal", "butterworth", "iir"] = "ideal"
    pyramid: Literal["gaussian", "laplacian"] = "gaussian"
    levels: int = Field(default=2, ge=0, le=10)
    #: of ``laplacian``: see ``clips.magnification.Magnification``
    wavelength_cutoff: float | None = Field(default=None, gt=0)
    outer_levels: bool = False
    fps: float | None = Field(default=None, gt=0)


class Flow(StrictModel):
    """Optical flow from the onset to the apex frame (see ``clips.flow``).

    ``compute_size``: side in pixels of the squares that flow is computed on before it is made smaller.
    ``output``: ``image`` is flow to the right, flow down and strain, each scaled by its own range to
    0..255; ``magnitude`` is the length of the flow in pixels, one channel.
    """

    method: Literal["tvl1", "farneback", "dis"] = "tvl1"
    compute_size: int = Field(default=128, ge=16, le=1024)
    output: Literal["image", "magnitude"] = "image"


class Clip(StrictModel):
    """What a network is fed with.

    ``frames``: ``frames`` images of ``size`` pixels squared, gray or RGB by ``channels``, scaled to
    0..1; one frame is an image, without a time axis. ``flow``: horizontal and vertical flow and
    optical strain, computed from the onset and the apex frame, 0..255. ``flow_image``: the same,
    precomputed, as its file holds it (0..255, OpenCV's order), ``size`` being its own side;
    ``resize_to`` is the side it is brought to for networks that need a larger one.

    ``crop``: which part of a frame; ``haar`` finds the face on the onset frame and levels the eyes
    if ``align``. ``normalise`` is done clip by clip: ``unit`` to 0..1, ``standard`` to mean 0 and
    standard deviation 1.
    """

    kind: Literal["frames", "flow", "flow_image"]
    frames: int = Field(default=1, ge=1, le=512)
    size: int = Field(default=90, ge=8, le=1024)
    resize_to: int | None = Field(default=None, ge=8, le=1024)
    channels: Literal[1, 3] = 1
    sampling: Sampling = "around_apex"
    crop: Literal["none", "centre", "haar"] = "none"
    align: bool = True
    magnification: Magnification | None = None
    flow: Flow = Flow()
    normalise: Literal["none", "unit", "standard"] = "none"

    @model_validator(mode="after")
    def _only_flow_images_are_resized(self) -> "Clip":
        if self.resize_to is not None and (self.kind != "flow_image" or self.resize_to < self.size):
            raise ValueError("'resize_to' is for flow_image, and no smaller than 'size'")
        return self
