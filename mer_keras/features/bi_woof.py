"""Bi-weighted oriented optical flow (Bi-WOOF), and Bi-WOOF joined with phase."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.arguments import Grid, Positive, Whole, Zero, checked
from mer_keras.features.directions import direction_sectors, lengths, region_sums
from mer_keras.features.fields import (
    Numbers,
    Values,
    block_numbers,
    flow_fields,
    normalised,
    optical_strain,
    strain_channel,
    unit_length,
)


@checked
def bi_woof(
    clip: Array,
    *,
    blocks: Grid = (5, 5),
    bins: Whole = 8,
    strain: Literal["computed", "channel"] = "computed",
    public_code: bool = False,
    zero: Zero = "none",
) -> Array:
    """Return histograms of the directions of flow, weighted by its length and by optical strain.

    Of block i, h_i(b) is the sum of the lengths of flow in direction bin b, divided by the sum over
    all bins; z_i is the mean optical strain of the block. The vector joins z_i * h_i of all blocks
    and is scaled to length 1 (Liong, See, Wong and Phan, Signal Processing: Image Communication,
    2018, section 3.3).

    Args:
        clip: (height, width, 2 or 3) or (fields, height, width, 2 or 3), channels u, v, strain: the
            flow from onset to apex; several fields are summed.
        blocks: how many in a column and in a row; the paper tries 5 to 8.
        bins: over 360 degrees.
        strain: ``computed`` from u and v; ``channel``: the third channel, as it is.
        public_code: do as the authors' public code does: the last bin holds only the direction at
            its lower edge, so that with 8 bins the motion between 135 and 180 degrees is lost;
            blocks reach one pixel into each neighbour; z_i is the sum of strain over the block.
        zero: what no motion looks like (see ``fields.flow_fields``).

    Returns:
        float32 (rows * columns * bins,), block by block, of length 1; zeros where nothing moves.

    Raises:
        ConfigError: the clip is no flow, a block would be empty, the strain is absent, or an
            argument can't be.
    """
    vectors = flow_fields(clip, "bi_woof", zero)  # (fields, height, width, 2)
    strains = _strains(clip, vectors, strain, "bi_woof")  # (fields, height, width)
    u, v = vectors[..., 0], vectors[..., 1]
    votes = lengths(u, v)
    if public_code:
        bin_of, votes = _public_bins(u, v, votes, bins)
        return _of_overlapping_blocks(bin_of, votes, strains, blocks, bins)
    block_of, count = block_numbers(vectors.shape[1:3], blocks, "bi_woof")
    local = region_sums(block_of, direction_sectors(u, v, bins), votes, count, bins)
    weighted = normalised(local) * _block_means(block_of, strains, count)[:, np.newaxis]
    return unit_length(weighted.reshape(-1)).astype(np.float32)


@checked
def bi_woof_phase(
    clip: tuple[Array, Array],
    *,
    blocks: Grid = (5, 5),
    bins: Whole = 8,
    strain: Literal["computed", "channel"] = "computed",
    wavelength: Positive = 8.0,
    bandwidth: Annotated[float, Field(gt=0, lt=1)] = 0.55,
    zero: Zero = "none",
) -> Array:
    """Return Bi-WOOF joined with a second histogram, of how the local phase changes.

    A reading, not the paper: how phase enters in Liong and Wong (APSIPA ASC, 2017) is not known
    here. The monogenic signal of the onset and of the apex frame (Felsberg and Sommer, IEEE
    Transactions on Signal Processing, 2001) is taken at one scale. In every block, the change of
    the local phase, times the local amplitude, votes for the local orientation of the apex frame;
    the block's histogram is normalised and weighted by strain as in ``bi_woof``.

    Args:
        clip: the flow from onset to apex as for ``bi_woof``, and gray frames (2 or more, height,
            width, 1), of which the first is the onset and the second the apex frame.
        blocks: how many in a column and in a row, of flow and frames alike.
        bins: over 360 degrees, of both histograms.
        strain: see ``bi_woof``.
        wavelength: of the band-pass filter's centre, in pixels of the frames.
        bandwidth: of the log-Gabor filter, as its ratio of deviation to centre frequency.
        zero: see ``bi_woof``.

    Returns:
        float32 (2 * rows * columns * bins,): flow's part, then phase's; of length 1.

    Raises:
        ConfigError: see ``bi_woof``; the frames have another shape, or a value isn't finite.
    """
    if not isinstance(clip, tuple) or len(clip) != 2:
        raise ConfigError(
            "feature bi_woof_phase: expected two inputs, optical flow and the onset and apex "
            "frame: give the method both"
        )
    flow, frames = clip
    vectors = flow_fields(flow, "bi_woof_phase", zero)  # (fields, height, width, 2)
    strains = _strains(flow, vectors, strain, "bi_woof_phase")
    onset, apex = _two_frames(frames)  # (height, width) each
    u, v = vectors[..., 0], vectors[..., 1]
    block_of, count = block_numbers(u.shape[1:], blocks, "bi_woof_phase")
    of_flow = region_sums(block_of, direction_sectors(u, v, bins), lengths(u, v), count, bins)
    before, after = (monogenic(frame, wavelength, bandwidth) for frame in (onset, apex))
    change = np.abs(after[0] - before[0]) * (before[1] + after[1]) / 2  # (height, width)
    frame_block_of, _ = block_numbers(onset.shape, blocks, "bi_woof_phase")
    orientations = direction_sectors(np.cos(after[2]), np.sin(after[2]), bins)
    of_phase = region_sums(frame_block_of, orientations, change, count, bins)
    weights = _block_means(block_of, strains, count)[:, np.newaxis]
    parts = [(normalised(part) * weights).reshape(-1) for part in (of_flow, of_phase)]
    return unit_length(np.concatenate(parts)).astype(np.float32)


def monogenic(frame: Values, wavelength: float, bandwidth: float) -> tuple[Values, Values, Values]:
    """Return the local phase, amplitude and orientation of an image at one scale.

    Args:
        frame: (height, width) gray values.
        wavelength: of the log-Gabor band-pass filter's centre, in pixels.
        bandwidth: ratio of the filter's deviation to its centre frequency.

    Returns:
        (height, width) each: phase in 0..pi, amplitude, orientation in -pi..pi.
    """
    along_y = np.fft.fftfreq(frame.shape[0])[:, np.newaxis]  # cycles a pixel
    along_x = np.fft.fftfreq(frame.shape[1])
    radius = np.hypot(along_x, along_y)  # (height, width)
    radius[0, 0] = 1.0  # The mean has no frequency; the band-pass filter removes it below.
    band = np.exp(-(np.log(radius * wavelength) ** 2) / (2 * np.log(bandwidth) ** 2))
    band[0, 0] = 0.0
    spectrum = np.fft.fft2(frame) * band
    even = np.fft.ifft2(spectrum).real
    odd_x = np.fft.ifft2(spectrum * -1j * along_x / radius).real
    odd_y = np.fft.ifft2(spectrum * -1j * along_y / radius).real
    odd = np.hypot(odd_x, odd_y)
    return np.arctan2(odd, even), np.hypot(even, odd), np.arctan2(odd_y, odd_x)


def _strains(clip: Array, vectors: Values, strain: str, feature: str) -> Values:
    """Optical strain of every field, (fields, height, width)."""
    if strain == "channel":
        return strain_channel(clip, feature)
    return optical_strain(vectors)


def _block_means(block_of: Numbers, values: Values, blocks: int) -> Values:
    """Mean over the pixels of each block and all fields, (blocks,)."""
    sums = np.bincount(block_of.reshape(-1), values.mean(axis=0).reshape(-1), minlength=blocks)
    return sums / np.bincount(block_of.reshape(-1), minlength=blocks)


def _two_frames(frames: Array) -> tuple[Values, Values]:
    """The onset and the apex frame, (height, width) each."""
    if np.ndim(frames) != 4 or len(frames) < 2 or np.shape(frames)[-1] != 1:
        raise ConfigError(
            f"feature bi_woof_phase: frames of shape {np.shape(frames)}, expected (2 or more, "
            "height, width, 1): gray, the onset first, then the apex"
        )
    if not np.isfinite(frames).all():
        raise ConfigError("feature bi_woof_phase: a frame has NaN or infinite values")
    return frames[0, ..., 0].astype(np.float64), frames[1, ..., 0].astype(np.float64)


def _public_bins(u: Values, v: Values, votes: Values, bins: int) -> tuple[Numbers, Values]:
    """Bins and votes as the authors' code counts them: the last bin holds its lower edge alone."""
    angle = np.degrees(np.arctan2(v, u))  # (fields, height, width)
    width = 360 / bins
    bin_of = np.minimum((np.floor((angle + 180) / width)).astype(np.int64), bins - 1)
    lost = angle > 180 - width
    return bin_of, np.where(lost, 0.0, votes)


def _of_overlapping_blocks(
    bin_of: Numbers, votes: Values, strains: Values, blocks: Sequence[int], bins: int
) -> Array:
    """Bi-WOOF of blocks that reach one pixel into every neighbour, weighted by sums of strain."""
    height, width = bin_of.shape[1:]
    rows, columns = blocks
    block_numbers((height, width), blocks, "bi_woof")  # It refuses empty blocks.
    vector = []
    for row in range(rows):
        top, bottom = max(row * height // rows - 1, 0), (row + 1) * height // rows + 1
        for column in range(columns):
            left = max(column * width // columns - 1, 0)
            right = (column + 1) * width // columns + 1
            block = np.s_[:, top:bottom, left:right]
            counts = np.bincount(bin_of[block].ravel(), votes[block].ravel(), minlength=bins)
            vector.append(normalised(counts.astype(np.float64)) * strains[block].sum())
    return unit_length(np.concatenate(vector)).astype(np.float32)
