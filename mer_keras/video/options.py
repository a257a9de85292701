"""How a recording is spotted in: every choice, with the released form of the published baseline."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel

#: Side in pixels of the aligned square that curves are computed on.
SIDE = 128
#: Which motion curve.
SpotMethod = Literal["flow_difference", "lbp_difference"]
#: What is looked for.
Kind = Literal["micro", "macro"]


class SpotOptions(StrictModel):
    """Choices of ``mer-keras spot``. The defaults are the repaired form; see ``released``."""

    method: SpotMethod = "flow_difference"
    """``flow_difference`` follows MDMD (Wang et al., Neurocomputing 2017), ``lbp_difference``
    Moilanen, Zhao and Pietikäinen (ICPR 2014).
    """
    kind: Kind = "micro"
    """Which expressions: those of some 0.4 s, or ``macro``: of some 1.3 s."""
    crop: Literal["haar", "mesh", "centre"] = "haar"
    """Which part of the frames is the face: by OpenCV's Haar cascades, by the landmarks of the
    extra ``[face]``, or the largest square in the middle.
    """
    align: Literal["none", "three_points"] = "none"
    """``three_points`` follows the head's slow motion in every frame by three points of the mesh
    (inner corners of the eyes, and under the nose; see ``alignment``); needs the crop ``mesh``.
    """
    flow: Literal["dis", "farneback"] = "farneback"
    """How optical flow is computed, of ``flow_difference``. Farneback's is the steadier one where
    skin has little texture.
    """
    half_seconds: float | None = Field(default=None, gt=0, le=5, allow_inf_nan=False)
    """k: a frame is compared with those so many seconds before and after it; null: 0.2 s for
    micro-expressions, 0.65 s for macro-expressions, and half of 0.35 s for ``lbp_difference``.
    """
    threshold: float = Field(default=0.4, ge=0, le=1, allow_inf_nan=False)
    """Where between the mean of the contrast (0) and its maximum (1) an interval begins."""
    least: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Pixels of a face of 128 pixels that a peak of ``flow_difference`` must have: the maximum of a
    still recording is a peak too.
    """
    whole_circle: bool = True
    """Whether directions of flow are told by both signs (atan2). The released code takes the
    arctangent of a quotient, whose range is half a circle: two of its four directions stay empty.
    """
    subtract_head: bool = True
    """Whether the median flow of the nose is taken off, as the head's own motion."""
    ignore: tuple[Literal["eyes"], ...] = ("eyes",)
    """Blocks that don't count: those of the eyes, whose blinks are no expressions."""
    smooth: bool = True
    """Whether pixels are smoothed before flow: in space, and over 20 ms in time."""
    intervals: Literal["peaks", "runs"] = "peaks"
    """``peaks``: k around each peak over the threshold; ``runs``: frames over the threshold that
    are neighbours, as released.
    """
    radius: int = Field(default=1, ge=1, le=3)
    """Radius in pixels of the local binary patterns, of ``lbp_difference``."""

    @model_validator(mode="after")
    def _only_the_mesh_has_points(self) -> "SpotOptions":
        if self.align == "three_points" and self.crop != "mesh":
            raise ValueError("align 'three_points' needs the points of crop 'mesh'")
        return self

    @property
    def half(self) -> float:
        """Seconds from a frame to the ones that it is compared with."""
        if self.half_seconds is not None:
            return self.half_seconds
        if self.method == "lbp_difference":
            return 0.175
        return 0.2 if self.kind == "micro" else 0.65

    @property
    def lengths(self) -> tuple[float, float]:
        """Shortest and longest interval in seconds; ``runs`` of other lengths are dropped.

        For micro-expressions those of the released code (7 to 16 frames at 30 fps); for
        macro-expressions the usual definition.
        """
        return (0.23, 0.53) if self.kind == "micro" else (0.5, 4.0)

    @classmethod
    def released(cls, kind: Kind = "micro") -> "SpotOptions":
        """Return the settings of MDMD's released code (baseline of MEGC 2020).

        Frames are compared over 0.4 s (micro) and 1.3 s (macro) to each side; the threshold is one
        per cent above the mean.
        """
        return cls(
            kind=kind,
            half_seconds=0.4 if kind == "micro" else 1.3,
            threshold=0.01,
            least=0.0,
            whole_circle=False,
            subtract_head=False,
            ignore=(),
            smooth=False,
            intervals="runs",
        )

    @property
    def departures(self) -> tuple[str, ...]:
        """How this differs from the published baseline, or what of it is odd, in sentences."""
        if self.method == "lbp_difference":
            return ("pixels are smoothed first, as noise rules the patterns of smooth skin",)
        tests = {
            "directions are told by both signs; the released code knows half a circle, in which "
            "two of four directions stay empty": self.whole_circle,
            "directions are told as released: two of four stay empty": not self.whole_circle,
            "the median flow of the nose is taken off, as the head's own": self.subtract_head,
            "no motion of the head is taken off, as released": not self.subtract_head,
            "the eyes' blocks don't count": "eyes" in self.ignore,
            "pixels are smoothed in space and time before flow": self.smooth,
            "intervals are k to each side of peaks, not runs over the threshold": (
                self.intervals == "peaks"
            ),
            "a peak needs some height in pixels": self.least > 0,
        }
        return tuple(text for text, holds in tests.items() if holds)
