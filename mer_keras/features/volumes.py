"""What the features of gray clips share: the volume of a clip, its blocks, their histograms.

A volume is a clip as gray values by time, row and column. Rows grow downwards.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Array
from mer_keras.errors import ConfigError
from mer_keras.features.arguments import BlockRule
from mer_keras.features.fields import Values, normalised

#: A part of a volume: slices of time, rows and columns.
Block: TypeAlias = tuple[slice, slice, slice]

#: What a value may differ from a whole number that it was before it was scaled to 0..1.
WHOLE = 1e-3


class Coded(NamedTuple):
    """The bin of each voxel in one plane, and its vote.

    Attributes:
        bin_of: integers (time, rows, columns), below ``bins``; with a first axis where each voxel
            votes for several bins.
        bins: how many.
        votes: float64 shaped as ``bin_of``; None: every voxel has the vote 1.
    """

    bin_of: NDArray[np.integer]
    bins: int
    votes: Values | None = None


class Blocking(NamedTuple):
    """How a volume is divided into blocks.

    Attributes:
        blocks: how many in a column, in a row, and in time, such as (5, 5, 1).
        rule: ``codes_then_blocks`` divides the array of codes, so that no voxel of it is left out.
            ``blocks_then_codes`` first cuts the volume into equal pieces, what is left over at its
            end is dropped, and each piece loses a rim of its own.
        overlap: share of a block that also belongs to the next one, for ``codes_then_blocks``.
        normalise: whether each histogram of a block is scaled to a sum of 1.
    """

    blocks: Sequence[int]
    rule: BlockRule
    overlap: float
    normalise: bool


def gray_volume(clip: Array | NDArray[np.uint8], feature: str) -> Values:
    """Return the gray values of a clip, on the scale 0..255.

    Whole numbers come back exactly, so that equal gray values are equal also where they were
    scaled.

    Args:
        clip: (time, height, width) or (time, height, width, 1): uint8, or floats on the scale 0..1
            (see ``clips.assemble.ClipArrays``).
        feature: name of the feature, for messages.

    Returns:
        float64 (time, height, width).

    Raises:
        ConfigError: another shape, or a value that isn't finite.
    """
    values = np.asarray(clip)
    if values.ndim == 4 and values.shape[-1] == 1:
        values = values[..., 0]  # (time, height, width)
    if values.ndim != 3 or min(values.shape) < 1:
        raise ConfigError(
            f"feature {feature}: a clip of shape {np.shape(clip)}, expected gray frames (time, "
            "height, width) or (time, height, width, 1): give the method an input of kind frames "
            "with channels 1 and several frames"
        )
    if not np.isfinite(values).all():
        raise ConfigError(
            f"feature {feature}: the clip has NaN or infinite values: look at its frames"
        )
    if values.dtype == np.uint8:
        return values.astype(np.float64)
    volume = values.astype(np.float64) * 255
    whole = np.rint(volume)
    return whole if np.abs(volume - whole).max() < WHOLE else volume


def check_room(shape: Sequence[int], margins: Sequence[int], feature: str) -> None:
    """Check that a volume holds a voxel that is far enough from its rim.

    Args:
        shape: (time, height, width).
        margins: frames, rows and columns that a voxel needs on either side.
        feature: name of the feature, for messages.

    Raises:
        ConfigError: there is none.
    """
    least = [2 * margin + 1 for margin in margins]
    if any(side < needed for side, needed in zip(shape, least, strict=True)):
        found, expected = ("x".join(map(str, sides)) for sides in (shape, least))
        raise ConfigError(
            f"feature {feature}: {found} voxels (time, height, width), expected at least "
            f"{expected}: give the input more frames or a larger size, or choose a smaller radius "
            "or fewer blocks"
        )


def parts(side: int, count: int, overlap: float = 0.0) -> list[slice]:
    """Divide a side into parts of equal length, whose ends are rounded down.

    Args:
        side: number of voxels.
        count: of parts.
        overlap: share of a part that also belongs to the next one. Without any, part i is
            ``i * side // count`` to ``(i + 1) * side // count``.
    """
    length = side / (1 + (count - 1) * (1 - overlap))
    starts = [index * length * (1 - overlap) + 1e-9 for index in range(count)]
    return [slice(int(start), int(start + length)) for start in starts]


def block_slices(
    shape: Sequence[int], blocks: Sequence[int], overlap: float, feature: str
) -> list[Block]:
    """Divide a volume into blocks.

    Args:
        shape: (time, height, width).
        blocks: how many in a column, in a row, and in time, such as (5, 5, 1).
        overlap: see ``parts``; the same in space and time.
        feature: name of the feature, for messages.

    Returns:
        Slices, by time, then row, then column.

    Raises:
        ConfigError: a block would have no voxel.
    """
    rows, columns, times = blocks
    if any(side < count for side, count in zip(shape, (times, rows, columns), strict=True)):
        sides = "x".join(map(str, shape))
        raise ConfigError(
            f"feature {feature}: {rows}x{columns}x{times} blocks (rows, columns, time) of {sides} "
            "voxels (time, height, width): a block would be empty; choose fewer blocks, or give "
            "the input more frames or a larger size"
        )
    counts = (times, rows, columns)
    divided = [parts(side, count, overlap) for side, count in zip(shape, counts, strict=True)]
    return [(time, row, column) for time, row, column in itertools.product(*divided)]


def coded_blocks(
    volume: Values, code: Callable[[Values], Sequence[Coded]], blocking: Blocking, feature: str
) -> Iterator[Sequence[Coded]]:
    """Compute the codes of all voxels, block by block.

    Args:
        volume: (time, height, width).
        code: volume -> codes of its inner voxels, one array a plane.
        blocking: the blocks.
        feature: name of the feature, for messages.

    Yields:
        The codes of a block, in the order of ``block_slices``.

    Raises:
        ConfigError: blocks that are cut first would overlap, or one would be empty.
    """
    blocks, rule, overlap, _ = blocking
    if rule == "codes_then_blocks":
        planes = code(volume)
        for block in block_slices(planes[0].bin_of.shape[-3:], blocks, overlap, feature):
            yield [_cut(plane, block) for plane in planes]
        return
    if overlap > 0:
        raise ConfigError(
            f"feature {feature}: block_rule 'blocks_then_codes' with overlap {overlap:g}, expected "
            "blocks without an overlap, or 'codes_then_blocks'"
        )
    block_slices(volume.shape, blocks, 0.0, feature)  # It refuses empty blocks.
    rows, columns, times = blocks
    counts = (times, rows, columns)
    whole = [side // count * count for side, count in zip(volume.shape, counts, strict=True)]
    for block in block_slices(whole, blocks, 0.0, feature):
        yield code(volume[block])


def histograms(planes: Sequence[Coded], *, normalise: bool) -> list[Values]:
    """Count the bins of each plane of a block.

    Args:
        planes: codes and votes.
        normalise: scale each histogram to a sum of 1; one without any vote stays zero.

    Returns:
        float64 (bins,) for each plane.
    """
    counted = []
    for plane in planes:
        votes = None if plane.votes is None else plane.votes.reshape(-1)
        counts: Values = np.bincount(plane.bin_of.reshape(-1), votes, minlength=plane.bins).astype(
            np.float64
        )
        counted.append(normalised(counts) if normalise else counts)
    return counted


def block_vector(
    volume: Values, code: Callable[[Values], Sequence[Coded]], blocking: Blocking, feature: str
) -> Array:
    """Return the histograms of all blocks as one vector.

    Args and errors are those of ``coded_blocks``.

    Returns:
        float32, block by block (time, row, column), plane by plane.
    """
    normalise = blocking.normalise
    if blocking.rule == "codes_then_blocks" and blocking.overlap == 0:
        counted = _disjoint(code(volume), blocking.blocks, feature)
        counted = [normalised(counts) for counts in counted] if normalise else counted
        return np.concatenate(counted, axis=1).astype(np.float32).reshape(-1)
    blocks = coded_blocks(volume, code, blocking, feature)
    counted = [counts for planes in blocks for counts in histograms(planes, normalise=normalise)]
    return np.concatenate(counted).astype(np.float32)


def _disjoint(planes: Sequence[Coded], blocks: Sequence[int], feature: str) -> list[Values]:
    """Histograms of blocks that don't overlap, all counted at once: (blocks, bins) a plane."""
    shape = planes[0].bin_of.shape[-3:]
    slices = block_slices(shape, blocks, 0.0, feature)
    block_of = np.empty(shape, np.int64)
    for number, block in enumerate(slices):
        block_of[block] = number
    counted = []
    for plane in planes:
        cells = block_of * plane.bins + plane.bin_of  # (..., time, rows, columns)
        votes = None if plane.votes is None else plane.votes.reshape(-1)
        counts = np.bincount(cells.reshape(-1), votes, minlength=len(slices) * plane.bins)
        counted.append(counts.astype(np.float64).reshape(len(slices), plane.bins))
    return counted


def _cut(plane: Coded, block: Block) -> Coded:
    votes = None if plane.votes is None else plane.votes[..., *block]
    return Coded(plane.bin_of[..., *block], plane.bins, votes)
