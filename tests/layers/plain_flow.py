"""What the layers of the networks on optical flow are in Keras' own layers and operations."""

import math

import keras
import numpy as np
from keras import layers, ops

from mer_keras.layers import (
    block_attention,
    capsules,
    channels,
    class_attention,
    counted_norm,
    face_areas,
    map_attention,
    patches,
    pooling,
    position_attention,
    response_norm,
)
from mer_keras.layers.choice import FAST_FORMS

#: Images that most layers are given, and maps that can be cut into 2x2 blocks of 2x3 places.
IMAGE, MAPS = (3, 10, 7, 4), (2, 4, 6, 3)


def spread_patches(parts, x, training):
    padded = ops.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]])
    every = ops.image.extract_patches(padded, (3, 3), strides=1, dilation_rate=2)
    return every[:, ::3, ::3]


def padded_pool(parts, x, training):
    return parts[0](ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=-6e4))


def mean_of_cells(parts, x, training):
    def cells(count, size):
        return [slice(i * size // count, math.ceil((i + 1) * size / count)) for i in range(count)]

    rows = [
        ops.stack([ops.mean(x[:, r, c], axis=(1, 2)) for c in cells(2, x.shape[2])], axis=1)
        for r in cells(3, x.shape[1])
    ]
    return ops.stack(rows, axis=1)


def nearest(parts, x, training):
    rows = [math.floor(i * x.shape[1] / 13) for i in range(13)]
    columns = [math.floor(i * x.shape[2] / 9) for i in range(9)]
    return ops.take(ops.take(x, rows, axis=1), columns, axis=2)


def areas(parts, x, training):
    def area(row, column):
        rows, columns = np.arange(row - 7, row + 7), np.arange(column - 7, column + 7)
        return ops.take(ops.take(x, rows, axis=1), columns, axis=2)

    above = ops.concatenate([area(9, 11), area(21, 10)], axis=2)
    return ops.concatenate([above, ops.concatenate([area(10, 21), area(20, 21)], axis=2)], axis=1)


def masked_products(parts, tensors, training):
    """Query after query; a key on the diagonal takes a share and gives nothing."""
    queries, keys, values = tensors
    opposite, bias = (3, 2, 1, 0), (-0.5, -1.0, -1.5, -2.0)
    rows = []
    for query in range(4):
        heads = []
        for head in np.s_[..., :3], np.s_[..., 3:]:
            scores = 0.4 * ops.sum(queries[:, query : query + 1][head] * keys[head], axis=-1)
            is_opposite = np.arange(4) == opposite[query]
            scores = ops.where(is_opposite, bias[opposite[query]], scores)
            weights = ops.where(is_opposite, 0.0, ops.softmax(scores, axis=-1))
            heads.append(ops.sum(weights[..., None] * values[head], axis=1))
        rows.append(ops.concatenate(heads, axis=-1))
    return ops.stack(rows, axis=1)


def plain_squash(vectors):
    length = ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True))
    return length**2 / (1 + length**2) * vectors / (length + 1e-8)


def primary_capsules(parts, x, training):
    return plain_squash(ops.reshape(x, (-1, 140, 2)))


def response_norm_by_channel(parts, x, training):
    shares = []
    for channel in range(x.shape[-1]):
        near = x[..., max(channel - 1, 0) : channel + 2]
        divisor = (2 + 0.5 * ops.sum(ops.square(near), axis=-1)) ** 0.75
        shares.append(x[..., channel] / divisor)
    return ops.stack(shares, axis=-1)


class PlainCapsules(keras.layers.Layer):
    """Routing, round after round and class after class."""

    def __init__(self, classes, width, **kwargs):
        super().__init__(**kwargs)
        self.classes, self.width = classes, width

    def build(self, input_shape):
        _, capsules, size = input_shape
        shape = (self.classes, capsules, self.width, size)
        self.matrices = self.add_weight(shape=shape, name="matrices")

    def call(self, x):
        moving = [ops.sum(self.matrices[c] * x[:, :, None], axis=-1) for c in range(self.classes)]
        agreement = ops.zeros_like(ops.stack([m[..., 0] for m in moving], axis=-1))
        for number in range(3):
            predictions = moving if number == 2 else [ops.stop_gradient(m) for m in moving]
            weights = ops.softmax(agreement, axis=-1)  # (batch, capsules, classes)
            results = [
                plain_squash(ops.sum(weights[..., c, None] * prediction, axis=1))
                for c, prediction in enumerate(predictions)
            ]
            common = [
                ops.sum(p * r[:, None], axis=-1) for p, r in zip(predictions, results, strict=True)
            ]
            agreement = agreement + ops.stack(common, axis=-1)
        return ops.stack(results, axis=1)


class PlainMapAttention(keras.layers.Layer):
    """Map after map."""

    def build(self, input_shape):
        channels = input_shape[-1]
        self.kernel = self.add_weight(shape=(channels, 3 * channels), name="kernel")
        self.bias = self.add_weight(shape=(3 * channels,), name="bias")

    def call(self, x):
        side, channels = x.shape[1], x.shape[-1]
        terms = [
            (math.cos if i % 2 else math.sin)(1 / 10000 ** (i // 2 / side)) for i in range(side)
        ]
        places = ops.convert_to_tensor(np.add.outer(terms, terms), self.compute_dtype)
        outputs = []
        for channel in range(channels):
            query, key, value = (
                ops.sum(x * self.kernel[:, part], axis=-1) + self.bias[part]
                for part in (channel, channel + channels, channel + 2 * channels)
            )
            by_place = ops.einsum("nij,kj->nik", query, places)
            products = ops.einsum("nij,nkj->nik", query, key) + by_place
            weights = ops.softmax(ops.reshape(products, (-1, side * side)), axis=-1)
            outputs.append(ops.reshape(weights, (-1, side, side)) * value)
        return ops.stack(outputs, axis=-1)


class PlainPositions(keras.layers.Layer):
    """One number a place of the 2x3 places of a block."""

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.numbers = self.add_weight(shape=(6,), name="numbers")

    def call(self, x):
        places = (np.arange(4)[:, None] % 2) * 3 + np.arange(6) % 3
        return x + ops.take(self.numbers, places)[..., None]


class PlainAttention(keras.layers.Layer):
    """The attention of the 2x2 blocks of 2x3 places, block after block and head after head."""

    def __init__(self, heads, head_width, blocks, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.head_width = heads, head_width

    def build(self, input_shape):
        inner, width = self.heads * self.head_width, input_shape[-1]
        shapes = [(width, 2 * inner), (width, inner), (inner, width), (width,)]
        self.matrices = [self.add_weight(shape=shape, name=f"m{len(shape)}") for shape in shapes]

    def call(self, x):
        query_key, value, output, bias = self.matrices
        inner = self.heads * self.head_width

        def attend(block):
            tokens = ops.reshape(block, (-1, 6, block.shape[-1]))
            queries, keys = tokens @ query_key[:, :inner], tokens @ query_key[:, inner:]
            sums = []
            for head in range(self.heads):
                part = np.s_[..., head * self.head_width : (head + 1) * self.head_width]
                scores = ops.einsum("bqi,bki->bqk", queries[part], keys[part])
                weights = ops.softmax(scores / math.sqrt(self.head_width), axis=-1)
                sums.append(weights @ (tokens @ value)[part])
            return ops.reshape(ops.concatenate(sums, axis=-1) @ output + bias, ops.shape(block))

        rows = [[attend(x[:, r : r + 2, c : c + 3]) for c in (0, 3)] for r in (0, 2)]
        return ops.concatenate([ops.concatenate(row, axis=2) for row in rows], axis=1)


def flow_cases(case, in_keras, norm):
    """Cases of these layers by name.

    Args:
        case: makes a case of our layer, its twin, what it reads and arguments of both.
        in_keras: makes a twin of Keras' layers and a function that applies them.
        norm: the batch normalisation of the twins.
    """

    def of_operations(ours, apply, shape=IMAGE, make=lambda policy: [], **arguments):
        twin = in_keras(make, apply)
        return case(ours, twin, shape, arguments)

    def batch_norm(dtype, **_):
        return norm(momentum=0.9, epsilon=1e-5, dtype=dtype)

    return {
        "ChannelRange": of_operations(
            channels.ChannelRange,
            lambda parts, x, training: ops.take(x, [1, 2], axis=-1),
            start=1,
            stop=3,
        ),
        "SpreadPatches": of_operations(
            patches.SpreadPatches, spread_patches, strides=3, dilation=2
        ),
        "PaddedMaxPool": of_operations(
            pooling.PaddedMaxPool,
            padded_pool,
            make=lambda policy: [layers.MaxPooling2D(3, 2, dtype=policy)],
        ),
        "AdaptiveAveragePool": of_operations(
            pooling.AdaptiveAveragePool, mean_of_cells, rows=3, columns=2
        ),
        "NearestEnlarge": of_operations(pooling.NearestEnlarge, nearest, rows=13, columns=9),
        "CountedNormalization": case(
            counted_norm.CountedNormalization, batch_norm, IMAGE, {"unbiased": False}
        ),
        "FastCountedNormalization": case(
            FAST_FORMS[counted_norm.CountedNormalization], batch_norm, IMAGE, {"unbiased": False}
        ),
        "ClassAttentionHead": of_operations(
            class_attention.ClassAttentionHead,
            lambda parts, x, training: parts[1](parts[0](x)),
            make=lambda policy: [layers.Flatten(dtype=policy), layers.Dense(3, dtype=policy)],
            classes=3,
            maps=4,
        ),
        "BlockPositions": case(block_attention.BlockPositions, PlainPositions, MAPS, {"blocks": 2}),
        "BlockAttention": case(
            block_attention.BlockAttention,
            PlainAttention,
            MAPS,
            {"heads": 2, "head_width": 5, "blocks": 2},
        ),
        "HeadProducts": of_operations(
            position_attention.HeadProducts,
            masked_products,
            [(2, 4, 6)] * 3,
            heads=2,
            scale=0.4,
            gamma=0.5,
        ),
        "PrimaryCapsules": of_operations(capsules.PrimaryCapsules, primary_capsules, size=2),
        "ClassCapsules": case(
            capsules.ClassCapsules, PlainCapsules, (2, 6, 4), {"classes": 3, "width": 5}
        ),
        "LogLengths": of_operations(
            capsules.LogLengths,
            lambda parts, x, training: ops.log(ops.sqrt(ops.sum(ops.square(x), axis=-1))),
            (2, 3, 4),
        ),
        "LocalResponseNorm": of_operations(
            response_norm.LocalResponseNorm, response_norm_by_channel, width=3, alpha=0.5
        ),
        "FastLocalResponseNorm": of_operations(
            FAST_FORMS[response_norm.LocalResponseNorm],
            response_norm_by_channel,
            width=3,
            alpha=0.5,
        ),
        "MapAttention": case(map_attention.MapAttention, PlainMapAttention, (2, 5, 5, 3)),
        "FaceAreas": of_operations(face_areas.FaceAreas, areas, (2, 28, 28, 3)),
    }
