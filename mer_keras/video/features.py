"""Two measures of motion in a face: one value for a moment and those before and after it.

``flow_difference`` follows MDMD (Wang, Wu, Qian, Fu, Neurocomputing 2017; the code of the baseline
of MEGC 2020), ``lbp_difference`` Moilanen, Zhao and Pietikäinen (ICPR 2014).
"""

from typing import NamedTuple, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips.flow import Field, optical_flow
from mer_keras.features import local_binary_patterns as patterns
from mer_keras.video.blocks import (
    BLOCK_OF_PIXEL,
    BLOCKS,
    NOSE,
    REGIONS,
    block_means,
    counted_blocks,
    mean_of_greatest,
)
from mer_keras.video.options import SIDE, SpotOptions

#: An aligned gray face, uint8 (SIDE, SIDE).
Face: TypeAlias = NDArray[np.uint8]
#: What is held of a face until it has been compared.
Prepared: TypeAlias = NDArray[np.generic]

#: Directions of flow that are told apart.
_DIRECTIONS = 4
#: Blocks of the mouth itself: those beside it show cheeks, hair or wall.
_MOUTH = [row * BLOCKS + column for row in REGIONS["mouth"][0] for column in range(1, 5)]
#: Neighbours of a local binary pattern.
_NEIGHBOURS = 8
#: It is put in the place of a divisor that is 0.
_TINY = 1e-6


class Comparison(NamedTuple):
    """What a moment differs by from those before and after it.

    Attributes:
        value: of the curve: pixels of the face's ``SIDE`` for flow, chi-square for patterns.
        head_px: how far the nose has moved from before to after, in the same pixels; NaN where
            flow isn't computed.
        mouth_px: how far the mouth's blocks have moved from before to now, without the head;
            likewise.
    """

    value: float
    head_px: float
    mouth_px: float


class Feature(Protocol):
    """How faces are compared."""

    def prepare(self, face: Face) -> Prepared:
        """Return what is needed of a face later."""
        ...

    def compare(self, before: Prepared, now: Prepared, after: Prepared) -> Comparison:
        """Compare a moment with those k before and k after it."""
        ...


def feature_of(options: SpotOptions) -> Feature:
    """Return the feature that options name."""
    if options.method == "lbp_difference":
        return LbpDifference(options)
    return FlowDifference(options)


class FlowDifference:
    """Motion that has come and goes again.

    Flow from before to now and from before to after; in each block the pixels of the commonest of
    four directions; the difference of their lengths, now minus after; mean of the greatest third of
    these pixels; mean of the greatest third of the blocks.
    """

    def __init__(self, options: SpotOptions) -> None:
        """Take the choices; nothing is computed."""
        self._options = options
        self._counted = counted_blocks(options.ignore)

    def prepare(self, face: Face) -> Prepared:
        """Keep the face itself."""
        return face

    def compare(self, before: Prepared, now: Prepared, after: Prepared) -> Comparison:
        """See ``Feature``."""
        flows = [
            optical_flow(
                np.asarray(before, np.uint8), np.asarray(other, np.uint8), self._options.flow
            )
            for other in (now, after)
        ]
        heads = [head_motion(flow) for flow in flows]
        if self._options.subtract_head:
            flows = [flow - head for flow, head in zip(flows, heads, strict=True)]
        lengths = [np.hypot(flow[..., 0], flow[..., 1]) for flow in flows]  # (SIDE, SIDE) each
        values = _block_values(
            _direction(flows[0], whole_circle=self._options.whole_circle), lengths[0] - lengths[1]
        )
        without_head = flows[0] if self._options.subtract_head else flows[0] - heads[0]
        of_blocks = block_means(np.hypot(without_head[..., 0], without_head[..., 1]))  # (36,)
        return Comparison(
            mean_of_greatest(values[self._counted]),
            float(np.hypot(*heads[1])),
            mean_of_greatest(of_blocks[_MOUTH]),
        )


class LbpDifference:
    """Texture that differs from the mean of that before and after.

    Histograms of uniform local binary patterns of 8 neighbours in each block; chi-square between
    now and the mean of before and after; mean of the greatest third of the blocks.
    """

    def __init__(self, options: SpotOptions) -> None:
        """Take the choices; nothing is computed."""
        self._radius = float(options.radius)
        self._table, self._bins = patterns.bin_table(_NEIGHBOURS, "uniform", "ascending")
        self._counted = counted_blocks(options.ignore)

    def prepare(self, face: Face) -> Prepared:
        """Keep the histograms of the blocks, float32 (36, bins), each of sum 1."""
        radii = (self._radius, self._radius, 0.0)
        margins = patterns.margins_of(radii)
        steps = patterns.plane_steps("xy", radii, _NEIGHBOURS)
        volume = face[np.newaxis].astype(np.float64)  # (1, SIDE, SIDE)
        codes = patterns.pattern_codes(volume, steps, margins, "bilinear", 1e-9)[0]
        inner = slice(margins[1], SIDE - margins[1])
        cells = BLOCK_OF_PIXEL[inner, inner] * self._bins + self._table[codes]
        counts = np.bincount(cells.ravel(), minlength=BLOCKS**2 * self._bins)
        histograms = counts.reshape(BLOCKS**2, self._bins).astype(np.float32)
        return histograms / histograms.sum(axis=1, keepdims=True)

    def compare(self, before: Prepared, now: Prepared, after: Prepared) -> Comparison:
        """See ``Feature``."""
        mean = (np.asarray(before, np.float32) + np.asarray(after, np.float32)) / 2
        histograms = np.asarray(now, np.float32)
        sums = np.maximum(histograms + mean, np.float32(_TINY))
        chi_square = ((histograms - mean) ** 2 / sums).sum(axis=1)  # (36,)
        value = mean_of_greatest(chi_square[self._counted])
        return Comparison(value, float("nan"), float("nan"))


def head_motion(flow: Field) -> NDArray[np.float32]:
    """Median flow of the nose, (2,): hardly any expression moves it."""
    return np.asarray(np.median(flow[NOSE], axis=(0, 1)), np.float32)


def smoothed(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Smooth a face in space with a standard deviation of one pixel."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), 1.0), np.uint8)


def _direction(flow: Field, *, whole_circle: bool) -> NDArray[np.intp]:
    """Index of the direction of each pixel, (SIDE, SIDE), 0 to 3: quarters of the circle.

    Of half a circle, as released, only the first and the last quarter occur.
    """
    if whole_circle:
        angle = np.arctan2(flow[..., 1], flow[..., 0])
    else:
        across = np.where(flow[..., 0] == 0, np.float32(_TINY), flow[..., 0])
        angle = np.arctan(flow[..., 1] / across)
    quarters = np.floor(angle % (2 * np.pi) / (2 * np.pi / _DIRECTIONS)).astype(np.intp)
    return np.minimum(quarters, _DIRECTIONS - 1)


def _block_values(direction: NDArray[np.intp], difference: Field) -> NDArray[np.float64]:
    """Value of each block, (36,): of the pixels of its commonest direction."""
    cells = (BLOCK_OF_PIXEL * _DIRECTIONS + direction).ravel()
    counts = np.bincount(cells, minlength=BLOCKS**2 * _DIRECTIONS)
    commonest = counts.reshape(BLOCKS**2, _DIRECTIONS).argmax(axis=1)  # (36,)
    flat = difference.ravel()
    order = np.argsort(cells, kind="stable")
    ends = np.cumsum(counts)
    values = np.zeros(BLOCKS**2)
    for block, of_block in enumerate(commonest):
        cell = block * _DIRECTIONS + of_block
        pixels = flat[order[ends[cell] - counts[cell] : ends[cell]]]
        values[block] = mean_of_greatest(pixels)
    return values
