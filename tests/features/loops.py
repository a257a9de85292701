"""Features of flow written out as literal loops over pixels: slow, and plain to read."""

import math


def block_of(position, side, blocks):
    """Number of the block that a pixel of a side is in: block i begins at i * side // blocks."""
    return max(i for i in range(blocks) if i * side // blocks <= position)


def gradient(image, y, x):
    """Central differences along x and y, one-sided at the rim."""
    height, width = len(image), len(image[0])
    left, right = max(x - 1, 0), min(x + 1, width - 1)
    top, bottom = max(y - 1, 0), min(y + 1, height - 1)
    along_x = (image[y][right] - image[y][left]) / (right - left)
    along_y = (image[bottom][x] - image[top][x]) / (bottom - top)
    return along_x, along_y


def direction_bin(x, y, bins):
    """Bin over the full circle from -180 degrees upwards; 180 degrees is in the last one."""
    share = (math.atan2(y, x) + math.pi + 1e-9) / (2 * math.pi)
    return min(int(share * bins), bins - 1)


def scaled(histogram):
    """A histogram whose sum is 1; an empty one stays."""
    total = sum(histogram)
    return [value / total for value in histogram] if total > 0 else histogram


def histograms(fields, blocks, bins, vote):
    """Block by block, ``vote(field, y, x)`` gives pairs of bin and weight."""
    rows, columns = blocks
    counts = [[0.0] * bins for _ in range(rows * columns)]
    for field in fields:
        u = field[0]
        height, width = len(u), len(u[0])
        for y in range(height):
            for x in range(width):
                block = block_of(y, height, rows) * columns + block_of(x, width, columns)
                for number, weight in vote(field, y, x):
                    counts[block][number] += weight
    return counts


def hoof(fields, blocks, bins, mirror=False):
    """See ``mer_keras.features.hoof.hoof``; fields are pairs of nested lists, u and v."""

    def vote(field, y, x):
        u, v = field[0][y][x], field[1][y][x]
        if mirror:
            share = (math.atan2(v, abs(u)) + math.pi / 2 + 1e-9) / math.pi
            return [(min(int(share * bins), bins - 1), math.hypot(u, v))]
        return [(direction_bin(u, v, bins), math.hypot(u, v))]

    return [value for counts in histograms(fields, blocks, bins, vote) for value in scaled(counts)]


def fhofo(fields, blocks, bins):
    """See ``mer_keras.features.hoof.fhofo``."""
    width = 2 * math.pi / bins

    def vote(field, y, x):
        u, v = field[0][y][x], field[1][y][x]
        if math.hypot(u, v) <= 1e-6:
            return []
        memberships = []
        for number in range(bins):
            distance = abs(math.atan2(v, u) - (-math.pi + (number + 0.5) * width))
            distance = min(distance, 2 * math.pi - distance)
            memberships.append(math.exp(-(distance**2) / (2 * (width / 2) ** 2)))
        return [(number, share / sum(memberships)) for number, share in enumerate(memberships)]

    return [value for counts in histograms(fields, blocks, bins, vote) for value in scaled(counts)]


def strain(field, y, x):
    """Magnitude of the strain tensor at a pixel."""
    u_x, u_y = gradient(field[0], y, x)
    v_x, v_y = gradient(field[1], y, x)
    return math.sqrt(u_x**2 + v_y**2 + (u_y + v_x) ** 2 / 2)


def unit(vector):
    """A vector of length 1; one of zeros stays."""
    length = math.sqrt(sum(value**2 for value in vector))
    return [value / length for value in vector] if length > 0 else vector


def bi_woof(fields, blocks, bins):
    """See ``mer_keras.features.bi_woof.bi_woof``."""
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


def mbh(fields, blocks, bins, fusion):
    """See ``mer_keras.features.mbh.mbh``."""

    def of(vector, circle=True):
        def vote(field, y, x):
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


def fdm(fields, blocks, slices, length):
    """See ``mer_keras.features.fdm.fdm``."""
    rows, columns = blocks
    vector = []
    for part in range(slices):
        for row in range(rows):
            for column in range(columns):
                flows = [
                    (field[0][y][x], field[1][y][x])
                    for number, field in enumerate(fields)
                    if number * slices // len(fields) == part
                    for y in range(len(field[0]))
                    for x in range(len(field[0][0]))
                    if block_of(y, len(field[0]), rows) == row
                    and block_of(x, len(field[0][0]), columns) == column
                ]
                vector += _principal_direction(flows, length)
    return vector


def _principal_direction(flows, length):
    chosen = flows
    while True:
        sums = sum(u for u, _ in chosen), sum(v for _, v in chosen)
        norm = math.hypot(*sums)
        direction = (sums[0] / norm, sums[1] / norm) if norm > 0 else (0.0, 0.0)
        positive = [flow for flow in flows if _dot(flow, direction) > 0]
        if positive == chosen or norm == 0:
            break
        chosen = positive
    mean = sum(max(_dot(flow, direction), 0) for flow in flows) / len(flows)
    return [value * (mean if length == "mean" else 1) for value in direction]


def _dot(first, second):
    return first[0] * second[0] + first[1] * second[1]


def mdmo(fields, members, bins):
    """See ``mer_keras.features.mdmo.mdmo``; ``members``: pixels (y, x) of each region."""
    lengths, angles = [], []
    for pixels in members:
        sums = [0.0, 0.0]
        for u, v in fields:
            bin_of = {}
            for y, x in pixels:
                turn = (math.atan2(v[y][x], u[y][x]) + 1e-9) / (2 * math.pi)
                bin_of[y, x] = math.floor((turn + 0.5 / bins) * bins) % bins
            counts = [list(bin_of.values()).count(number) for number in range(bins)]
            fullest = counts.index(max(counts))
            chosen = [pixel for pixel in pixels if bin_of[pixel] == fullest]
            sums[0] += sum(u[y][x] for y, x in chosen) / len(chosen)
            sums[1] += sum(v[y][x] for y, x in chosen) / len(chosen)
        lengths.append(math.hypot(sums[0] / len(fields), sums[1] / len(fields)))
        angles.append(math.atan2(sums[1], sums[0]))
    largest = max(lengths)
    return [length / largest if largest > 0 else 0.0 for length in lengths] + angles


def grid(height, width, rows, columns):
    """Pixels (y, x) of every block, block by block."""
    return [
        [
            (y, x)
            for y in range(height)
            for x in range(width)
            if block_of(y, height, rows) == row and block_of(x, width, columns) == column
        ]
        for row in range(rows)
        for column in range(columns)
    ]
