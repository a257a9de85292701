"""Features of flow as literal loops over pixels: slow, plain to read, and right by inspection.

They are what ``features`` is measured beside, and what its tests compare it with. A field is a pair
of nested lists, u and v, by row and column.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

#: A component of flow, by row and column.
Image: TypeAlias = list[list[float]]
FlowField: TypeAlias = tuple[Image, Image]
#: Bins that a pixel votes for, with the weight of each vote.
Votes: TypeAlias = list[tuple[int, float]]
Pixel: TypeAlias = tuple[int, int]


def parts_of(side: int, parts: int) -> list[int]:
    """Number of the part that each pixel of a side is in: part i begins at i * side // parts."""
    return [
        part
        for part in range(parts)
        for _ in range(part * side // parts, (part + 1) * side // parts)
    ]


def gradient(image: Image, y: int, x: int) -> tuple[float, float]:
    """Central differences along x and y, one-sided at the rim."""
    height, width = len(image), len(image[0])
    left, right = max(x - 1, 0), min(x + 1, width - 1)
    top, bottom = max(y - 1, 0), min(y + 1, height - 1)
    along_x = (image[y][right] - image[y][left]) / (right - left)
    along_y = (image[bottom][x] - image[top][x]) / (bottom - top)
    return along_x, along_y


def direction_bin(x: float, y: float, bins: int) -> int:
    """Bin over the full circle from -180 degrees upwards; 180 degrees is in the last one."""
    share = (math.atan2(y, x) + math.pi + 1e-9) / (2 * math.pi)
    return min(int(share * bins), bins - 1)


def scaled(histogram: list[float]) -> list[float]:
    """A histogram whose sum is 1; an empty one stays."""
    total = sum(histogram)
    return [value / total for value in histogram] if total > 0 else histogram


def histograms(
    fields: Sequence[FlowField],
    blocks: tuple[int, int],
    bins: int,
    vote: Callable[[FlowField, int, int], Votes],
) -> list[list[float]]:
    """Block by block, the sums of the votes for each bin."""
    rows, columns = blocks
    counts = [[0.0] * bins for _ in range(rows * columns)]
    row_of = parts_of(len(fields[0][0]), rows)
    column_of = parts_of(len(fields[0][0][0]), columns)
    for field in fields:
        for y, row in enumerate(row_of):
            for x, column in enumerate(column_of):
                for number, weight in vote(field, y, x):
                    counts[row * columns + column][number] += weight
    return counts


def hoof(
    fields: Sequence[FlowField], blocks: tuple[int, int], bins: int, mirror: bool = False
) -> list[float]:
    """See ``features.hoof.hoof``."""

    def vote(field: FlowField, y: int, x: int) -> Votes:
        u, v = field[0][y][x], field[1][y][x]
        if mirror:
            share = (math.atan2(v, abs(u)) + math.pi / 2 + 1e-9) / math.pi
            return [(min(int(share * bins), bins - 1), math.hypot(u, v))]
        return [(direction_bin(u, v, bins), math.hypot(u, v))]

    return [value for counts in histograms(fields, blocks, bins, vote) for value in scaled(counts)]


def fhofo(fields: Sequence[FlowField], blocks: tuple[int, int], bins: int) -> list[float]:
    """See ``features.hoof.fhofo``."""
    width = 2 * math.pi / bins

    def vote(field: FlowField, y: int, x: int) -> Votes:
        u, v = field[0][y][x], field[1][y][x]
        if math.hypot(u, v) <= 1e-6:
            return []
        memberships = []
        for number in range(bins):
            distance = abs(math.atan2(v, u) - (-math.pi + (number + 0.5) * width))
            distance = min(distance, 2 * math.pi - distance)
            memberships.append(math.exp(-(distance**2) / (2 * (width / 2) ** 2)))
        total = sum(memberships)
        return [(number, share / total) for number, share in enumerate(memberships)]

    return [value for counts in histograms(fields, blocks, bins, vote) for value in scaled(counts)]


def strain(field: FlowField, y: int, x: int) -> float:
    """Magnitude of the strain tensor at a pixel."""
    u_x, u_y = gradient(field[0], y, x)
    v_x, v_y = gradient(field[1], y, x)
    return math.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)


def unit(vector: list[float]) -> list[float]:
    """A vector of length 1; one of zeros stays."""
    length = math.sqrt(sum(value**2 for value in vector))
    return [value / length for value in vector] if length > 0 else vector


def bi_woof(fields: Sequence[FlowField], blocks: tuple[int, int], bins: int) -> list[float]:
    """See ``features.bi_woof.bi_woof``."""
    local = histograms(
        fields,
        blocks,
        bins,
        lambda field, y, x: [
            (
                direction_bin(field[0][y][x], field[1][y][x], bins),
                math.hypot(field[0][y][x], field[1][y][x]),
            )
        ],
    )
    strains = histograms(fields, blocks, 1, lambda field, y, x: [(0, strain(field, y, x))])
    pixels = histograms(fields, blocks, 1, lambda field, y, x: [(0, 1)])
    weights = [total[0] / count[0] for total, count in zip(strains, pixels, strict=True)]
    vector = [
        weight * value
        for weight, counts in zip(weights, local, strict=True)
        for value in scaled(counts)
    ]
    return unit(vector)


def mbh(
    fields: Sequence[FlowField], blocks: tuple[int, int], bins: int, fusion: str
) -> list[float]:
    """See ``features.mbh.mbh``."""

    def of(
        vector: Callable[[tuple[float, float], tuple[float, float]], tuple[float, float]],
        circle: bool = True,
    ) -> list[list[float]]:
        def vote(field: FlowField, y: int, x: int) -> Votes:
            along_x, along_y = vector(gradient(field[0], y, x), gradient(field[1], y, x))
            if circle:
                number = direction_bin(along_x, along_y, bins)
            else:
                share = (math.atan2(along_y, along_x) + 1e-9) / (math.pi / 2)
                number = min(int(share * bins), bins - 1)
            return [(number, math.hypot(along_x, along_y))]

        return histograms(fields, blocks, bins, vote)

    of_u, of_v = of(lambda u, v: u), of(lambda u, v: v)
    if fusion == "concat":
        parts = [[*scaled(u), *scaled(v)] for u, v in zip(of_u, of_v, strict=True)]
    elif fusion == "sum":
        parts = [
            scaled([a + b for a, b in zip(u, v, strict=True)])
            for u, v in zip(of_u, of_v, strict=True)
        ]
    elif fusion == "signed":
        parts = [scaled(part) for part in of(lambda u, v: (u[0] + v[0], u[1] + v[1]))]
    else:
        absolute = of(lambda u, v: (math.hypot(u[0], v[0]), math.hypot(u[1], v[1])), circle=False)
        parts = [scaled(part) for part in absolute]
    return [value for part in parts for value in part]


def fdm(
    fields: Sequence[FlowField], blocks: tuple[int, int], slices: int, length: str
) -> list[float]:
    """See ``features.fdm.fdm``."""
    rows, columns = blocks
    row_of = parts_of(len(fields[0][0]), rows)
    column_of = parts_of(len(fields[0][0][0]), columns)
    flows: list[list[tuple[float, float]]] = [[] for _ in range(slices * rows * columns)]
    for number, (u, v) in enumerate(fields):
        part = number * slices // len(fields)
        for y, row in enumerate(row_of):
            for x, column in enumerate(column_of):
                flows[(part * rows + row) * columns + column].append((u[y][x], v[y][x]))
    return [value for cuboid in flows for value in _principal_direction(cuboid, length)]


def _principal_direction(flows: list[tuple[float, float]], length: str) -> list[float]:
    chosen = flows
    while True:
        sums = sum(u for u, _ in chosen), sum(v for _, v in chosen)
        norm = math.hypot(*sums)
        direction = (sums[0] / norm, sums[1] / norm) if norm > 0 else (0.0, 0.0)
        # The sum points into the direction, and dot products of whole numbers with it are exact.
        positive = [flow for flow in flows if _dot(flow, sums) > 0]
        if positive == chosen or norm == 0:
            break
        chosen = positive
    mean = sum(max(_dot(flow, direction), 0) for flow in flows) / len(flows)
    return [value * (mean if length == "mean" else 1) for value in direction]


def _dot(first: tuple[float, float], second: tuple[float, float]) -> float:
    return first[0] * second[0] + first[1] * second[1]


def mdmo(fields: Sequence[FlowField], members: list[list[Pixel]], bins: int) -> list[float]:
    """See ``features.mdmo.mdmo``; ``members``: pixels (y, x) of each region."""
    lengths, angles = [], []
    for pixels in members:
        sums = [0.0, 0.0]
        for u, v in fields:
            bin_of: dict[Pixel, int] = {}
            for y, x in pixels:
                turn = (math.atan2(v[y][x], u[y][x]) + 1e-9) / (2 * math.pi)
                bin_of[y, x] = math.floor((turn + 0.5 / bins) * bins) % bins
            numbers = list(bin_of.values())
            counts = [numbers.count(number) for number in range(bins)]
            fullest = counts.index(max(counts))
            chosen = [pixel for pixel in pixels if bin_of[pixel] == fullest]
            sums[0] += sum(u[y][x] for y, x in chosen) / len(chosen)
            sums[1] += sum(v[y][x] for y, x in chosen) / len(chosen)
        lengths.append(math.hypot(sums[0] / len(fields), sums[1] / len(fields)))
        angles.append(math.atan2(sums[1], sums[0]))
    largest = max(lengths)
    return [length / largest if largest > 0 else 0.0 for length in lengths] + angles


def grid(height: int, width: int, rows: int, columns: int) -> list[list[Pixel]]:
    """Pixels (y, x) of every block, block by block."""
    members: list[list[Pixel]] = [[] for _ in range(rows * columns)]
    for y, row in enumerate(parts_of(height, rows)):
        for x, column in enumerate(parts_of(width, columns)):
            members[row * columns + column].append((y, x))
    return members
