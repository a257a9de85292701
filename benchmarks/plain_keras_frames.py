"""Networks on frames in plain Keras, as somebody writes them without this suite.

``python benchmarks/plain_keras_frames.py learnet --batch 16`` prints the seconds of a step. With
TensorFlow, whose local response normalisation AlexNet and GoogLeNet take. DTSCNN is not among them:
this suite builds it of Keras' own layers alone, so that it would be the same program.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

Tensor = keras.KerasTensor
RELU = {"activation": "relu"}


def dense(x: Tensor, *units: int, activation: str | None = "relu", rate: float = 0.5) -> Tensor:
    """Dense layers, each with dropout."""
    for width in units:
        x = layers.Dropout(rate)(layers.Dense(width, activation=activation)(x))
    return x


def softmax(x: Tensor, classes: int) -> Tensor:
    """Probabilities of the classes."""
    return layers.Dense(classes, activation="softmax")(x)


def learnet(images: Tensor) -> Tensor:
    """Dynamic images -> probabilities of three classes."""

    def conv(x: Tensor, filters: int, edge: int) -> Tensor:
        return layers.Conv2D(filters, edge, strides=2, padding="same", **RELU)(x)

    branches = [conv(images, 16, 3)] * 4
    for filters, edge in ((16, 1), (32, 3), (64, 5)):
        outputs = [conv(x, filters, edge) for x in branches]
        sums = [layers.Add()(pair) for pair in (outputs[:2], outputs[2:])] if edge < 5 else []
        branches = list(outputs)
        for place, total in zip((1, 3), sums, strict=False):
            branches[place] = layers.BatchNormalization()(total)
    x = conv(layers.BatchNormalization()(layers.Concatenate()(branches)), 256, 3)
    return softmax(dense(layers.Flatten()(x), 256), 3)


def conv3d(clips: Tensor) -> Tensor:
    """The convolution of MicroExpSTCNN and of each stream of MicroExpFuseNet, flat."""
    x = layers.MaxPooling3D(3)(layers.Conv3D(32, (15, 3, 3), **RELU)(clips))
    return layers.Flatten()(layers.Dropout(0.5)(x))


def microexp_stcnn(clips: Tensor) -> Tensor:
    """Clips -> probabilities of three classes."""
    return softmax(dense(conv3d(clips), 128), 3)


def microexp_fusenet(eyes: Tensor, mouth: Tensor) -> Tensor:
    """Clips of eyes and mouth -> probabilities of three classes."""
    x = layers.Concatenate()([conv3d(eyes), conv3d(mouth)])
    return softmax(dense(x, 1024, 128, activation=None), 3)


def microexp_fusenet_late(eyes: Tensor, mouth: Tensor) -> Tensor:
    """The same, whose streams meet behind their dense layers."""
    streams = [dense(conv3d(x), 1024, 128, activation=None) for x in (eyes, mouth)]
    return softmax(layers.Concatenate()(streams), 3)


class ResponseNorm(layers.Layer):
    """Local response normalisation, which Keras doesn't have, with the constants of AlexNet."""

    def call(self, maps: Tensor) -> Tensor:
        """Normalise maps, (batch, height, width, channels)."""
        import tensorflow as tf

        return tf.nn.local_response_normalization(maps, 2, bias=2.0, alpha=1e-4, beta=0.75)


def alexnet_maps(x: Tensor, groups: int) -> Tensor:
    """Maps behind the last pooling; Keras' own groups can't be trained on a processor."""

    def conv(x: Tensor, filters: int, edge: int, groups: int) -> Tensor:
        parts = ops.split(x, groups, axis=-1) if groups > 1 else [x]
        parts = [layers.Conv2D(filters // groups, edge, padding="same", **RELU)(p) for p in parts]
        return layers.Concatenate()(parts) if groups > 1 else parts[0]

    def pool(x: Tensor) -> Tensor:
        return layers.MaxPooling2D(3, strides=2)(x)

    x = ResponseNorm()(pool(layers.Conv2D(96, 11, strides=4, **RELU)(x)))
    x = ResponseNorm()(pool(conv(x, 256, 5, groups)))
    x = conv(conv(x, 384, 3, 1), 384, 3, groups)
    return pool(conv(x, 256, 3, groups))


def alexnet(images: Tensor) -> Tensor:
    """Images, 0..255 -> probabilities of five classes."""
    x = layers.Rescaling(1 / 255, [-0.485, -0.458, -0.408])(images)
    return softmax(dense(layers.Flatten()(alexnet_maps(x, groups=2)), 4096, 4096), 5)


def each_frame(clips: Tensor, maps: Callable[[Tensor], Tensor]) -> Tensor:
    """Maps of each frame, flat: (batch, time, values)."""
    frame = keras.Input(clips.shape[2:])
    encoder = keras.Model(frame, layers.Flatten()(maps(frame)))
    return layers.TimeDistributed(encoder)(clips)


def alexnet_lstm(clips: Tensor) -> Tensor:
    """Clips, 0..1 -> probabilities of five classes."""
    x = layers.Rescaling(1, [-0.485, -0.458, -0.408])(clips)
    x = dense(each_frame(x, lambda frame: alexnet_maps(frame, groups=1)), 4096, 4096)
    return softmax(layers.LSTM(256)(x), 5)


def vgg16_maps(x: Tensor) -> Tensor:
    """Maps behind the last pooling."""
    for depth, filters in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True):
        for _ in range(depth):
            x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_uniform", **RELU)(
                x
            )
        x = layers.MaxPooling2D(2)(x)
    return x


def vgg16(images: Tensor) -> Tensor:
    """Images, 0..255 -> probabilities of five classes."""
    x = vgg16_maps(layers.Rescaling(1 / 255)(images))
    return softmax(dense(layers.Flatten()(x), 4096, 4096), 5)


def elrcn(*clips: Tensor) -> Tensor:
    """Clips of one stream or of several, 0..255 -> probabilities of five classes."""
    streams = [
        dense(each_frame(layers.Rescaling(1 / 255)(x), vgg16_maps), 4096, 4096) for x in clips
    ]
    x = layers.Concatenate()(streams) if len(streams) > 1 else streams[0]
    x = layers.LSTM(3000, recurrent_activation="hard_sigmoid")(x)
    x = layers.Dense(5, activation="sigmoid")(layers.Dense(128, **RELU)(x))
    return x / ops.sum(x, axis=-1, keepdims=True)


#: Maps of GoogLeNet's modules: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind a pool.
MODULES = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def googlenet(images: Tensor) -> Tensor:
    """Images, 0..255 -> probabilities of five classes."""

    def conv(x: Tensor, filters: int, edge: int, strides: int = 1) -> Tensor:
        return layers.Conv2D(filters, edge, strides=strides, padding="same", **RELU)(x)

    def pool(x: Tensor, strides: int = 2) -> Tensor:
        return layers.MaxPooling2D(3, strides=strides, padding="same")(x)

    x = ResponseNorm()(pool(conv(layers.Rescaling(1 / 255)(images), 64, 7, 2)))
    x = pool(ResponseNorm()(conv(conv(x, 64, 1), 192, 3)))
    for number, (ones, reduce3, threes, reduce5, fives, pooled) in enumerate(MODULES):
        x = pool(x) if number in (2, 7) else x
        x = layers.Concatenate()(
            [
                conv(x, ones, 1),
                conv(conv(x, reduce3, 1), threes, 3),
                conv(conv(x, reduce5, 1), fives, 5),
                conv(pool(x, 1), pooled, 1),
            ]
        )
    return softmax(layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x)), 5)


def normalised(x: Tensor) -> Tensor:
    """Batch normalisation with PyTorch's constants."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def strcn(images: Tensor) -> Tensor:
    """Images of flow, 0..255 -> probabilities of three classes."""

    def conv(x: Tensor, edge: int) -> Tensor:
        x = layers.Conv2D(512, edge, padding="same", use_bias=False)(x)
        return layers.ReLU()(normalised(x))

    x = layers.MaxPooling2D(4)(conv(layers.Rescaling(1 / 255)(images), 3))
    for window in (4, 2, 2):
        y = conv(x, 1)
        for _ in range(2):
            y = conv(layers.Add()([y, x]), 3)
        x = layers.MaxPooling2D(window)(y)
    return softmax(layers.GlobalAveragePooling2D()(x), 3)


def resnet18(x: Tensor, stages: int = 4, *, pool: bool = True) -> Tensor:
    """Maps of ResNet-18 up to a stage."""

    def conv(x: Tensor, filters: int, edge: int, strides: int) -> Tensor:
        x = layers.ZeroPadding2D(edge // 2)(x) if edge > 1 else x
        return normalised(layers.Conv2D(filters, edge, strides=strides, use_bias=False)(x))

    x = layers.ReLU()(conv(x, 64, 7, 2))
    if pool:
        x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage in range(stages):
        filters = 64 << stage
        for strides in (2 if stage else 1, 1):
            y = conv(layers.ReLU()(conv(x, filters, 3, strides)), filters, 3, 1)
            x = conv(x, filters, 1, strides) if strides > 1 else x
            x = layers.ReLU()(layers.Add()([x, y]))
    return x


def emr(images: Tensor) -> Tensor:
    """Coloured flow, 0..255 -> probabilities of three classes."""
    x = resnet18(layers.Rescaling(2 / 255, -1)(images))
    halves = [
        layers.GlobalAveragePooling2D()(layers.Cropping2D((crop, (0, 0)))(x))
        for crop in ((0, 4), (3, 0))
    ]
    halves = [dense(half, 64, activation="tanh", rate=0.1) for half in halves]
    return softmax(layers.Concatenate()(halves), 3)


def squash(vectors: Tensor) -> Tensor:
    """Shorten vectors to lengths below 1."""
    square = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * square / (1 + square) / ops.sqrt(square + 1e-8)


class Capsules(layers.Layer):
    """Capsules of the classes by three rounds of routing; ``axis``: over what couplings sum to 1.

    From (batch, height, width, channels), cut into capsules of 8, to lengths divided by their sum.
    """

    def __init__(self, classes: int, width: int, axis: int) -> None:
        super().__init__()
        self.classes, self.width, self.axis = classes, width, axis

    def build(self, shape: Sequence[int]) -> None:
        """Make a matrix for each pair of a primary capsule and a class."""
        _, height, width, channels = shape
        self.count = height * width * channels // 8
        self.kernel = self.add_weight(
            shape=(self.classes, self.count, self.width, 8),
            initializer=keras.initializers.RandomNormal(stddev=0.01),
        )

    def call(self, maps: Tensor) -> Tensor:
        """Predict and route."""
        primary = squash(ops.reshape(maps, (-1, self.count, 8)))
        predictions = ops.einsum("cnwi,bni->bcnw", self.kernel, primary)
        still = ops.stop_gradient(predictions)
        agreement = ops.zeros_like(still[..., :1])
        for _ in range(2):
            coupling = ops.softmax(agreement, axis=self.axis)
            result = squash(ops.sum(coupling * still, axis=2, keepdims=True))
            agreement = agreement + ops.sum(still * result, axis=-1, keepdims=True)
        coupling = ops.softmax(agreement, axis=self.axis)
        result = squash(ops.sum(coupling * predictions, axis=2))
        lengths = ops.sqrt(ops.sum(ops.square(result), axis=-1) + 1e-16)
        return lengths / ops.sum(lengths, axis=-1, keepdims=True)


def capsulenet(images: Tensor) -> Tensor:
    """Images, 0..1 -> probabilities of three classes."""
    x = resnet18(images, stages=3, pool=False)
    x = layers.Conv2D(256, 9, strides=2)(layers.Conv2D(256, 9, **RELU)(x))
    return Capsules(3, 16, axis=1)(x)


def icegan_discriminator(images: Tensor) -> Tensor:
    """Apex frames, 0..1 -> probabilities of three classes."""

    def conv(x: Tensor, filters: int, edge: int, strides: int, *, bias: bool = True) -> Tensor:
        convolution = layers.Conv2D(filters, edge, strides=strides, use_bias=bias)
        return layers.SpectralNormalization(convolution)(x)

    x = images
    for number, (filters, strides) in enumerate(((64, 2), (128, 2), (256, 2), (512, 1), (512, 1))):
        x = conv(layers.ZeroPadding2D(1)(x), filters, 4, strides, bias=number in (0, 4))
        x = layers.LeakyReLU(0.2)(normalised(x) if number else x)
    x = conv(conv(layers.ZeroPadding2D(1)(x), 64, 1, 2), 128, 1, 1)
    return Capsules(3, 32, axis=2)(x)


class Network(NamedTuple):
    """What gives probabilities of clips, and the shapes of these."""

    outputs: Callable[..., Tensor]
    shapes: tuple[tuple[int, ...], ...]


NETWORKS = {
    "learnet": Network(learnet, ((112, 112, 3),)),
    "microexp_stcnn": Network(microexp_stcnn, ((96, 64, 64, 1),)),
    "microexp_fusenet": Network(microexp_fusenet, ((96, 32, 32, 1),) * 2),
    "microexp_fusenet_late": Network(microexp_fusenet_late, ((96, 32, 32, 1),) * 2),
    "alexnet": Network(alexnet, ((227, 227, 3),)),
    "alexnet_lstm": Network(alexnet_lstm, ((16, 227, 227, 3),)),
    "vgg16": Network(vgg16, ((224, 224, 3),)),
    "googlenet": Network(googlenet, ((224, 224, 3),)),
    "elrcn": Network(elrcn, ((9, 224, 224, 4),)),
    "elrcn_te": Network(elrcn, ((9, 224, 224, 3),) * 2),
    "strcn": Network(strcn, ((300, 245, 2),)),
    "capsulenet": Network(capsulenet, ((224, 224, 3),)),
    "emr": Network(emr, ((224, 224, 3),)),
    "icegan_discriminator": Network(icegan_discriminator, ((128, 128, 1),)),
}


def build(name: str, side: int | None = None) -> keras.Model:
    """Build a network; ``side``: of its images, in place of the paper's."""
    outputs, shapes = NETWORKS[name]
    if side:
        shapes = tuple((*shape[:-3], side, side, shape[-1]) for shape in shapes)
    clips = [keras.Input(shape) for shape in shapes]
    return keras.Model(clips, outputs(*clips))


def parameter_count(network: keras.Model) -> int:
    """Return the number of trained weights."""
    return int(sum(np.prod(weight.shape) for weight in network.trainable_weights))


class Step:
    """A training step of one of the networks on one batch of noise.

    Args:
        name: of the network.
        batch: number of clips.
        side: of the images, in place of the paper's.
    """

    def __init__(self, name: str, batch: int, side: int | None = None) -> None:
        self.network = build(name, side)
        self.network.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        shapes = [clips.shape[1:] for clips in self.network.inputs]
        self.clips = [rng.random((batch, *shape), dtype=np.float32) for shape in shapes]
        self.labels = rng.integers(0, 3, batch)

    def __call__(self) -> float:
        """Take the step; return the loss."""
        return float(self.network.train_on_batch(self.clips, self.labels))

    def parameter_count(self) -> int:
        """Trained weights of the network."""
        return parameter_count(self.network)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(NETWORKS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int)
    arguments = parser.parse_args()
    step = Step(arguments.name, arguments.batch, arguments.side)
    step()
    start = time.perf_counter()
    step()
    print(f"{time.perf_counter() - start:.3f} s")
