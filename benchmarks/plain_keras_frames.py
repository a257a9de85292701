"""LEARNet and MicroExpSTCNN in plain Keras, as somebody writes them without this suite.

``python benchmarks/plain_keras_frames.py learnet --batch 16`` prints the seconds of a step.
"""

import argparse
import time

import keras
import numpy as np
from keras import layers


def learnet() -> keras.Model:
    """Dynamic images (112, 112, 3) -> probabilities of three classes."""

    def conv(filters: int, edge: int) -> layers.Conv2D:
        return layers.Conv2D(filters, edge, strides=2, padding="same", activation="relu")

    def meet(first: keras.KerasTensor, second: keras.KerasTensor) -> keras.KerasTensor:
        return layers.BatchNormalization()(layers.Add()([first, second]))

    images = keras.Input((112, 112, 3))
    stem = conv(16, 3)(images)
    first = [conv(16, 1)(stem) for _ in range(4)]
    read = [first[0], meet(first[0], first[1]), first[2], meet(first[2], first[3])]
    second = [conv(32, 3)(x) for x in read]
    read = [second[0], meet(second[0], second[1]), second[2], meet(second[2], second[3])]
    third = [conv(64, 5)(x) for x in read]
    x = layers.BatchNormalization()(layers.Concatenate()(third))
    x = layers.Flatten()(conv(256, 3)(x))
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(x))
    return keras.Model(images, layers.Dense(3, activation="softmax")(x))


def microexp_stcnn() -> keras.Model:
    """Clips (96, 64, 64, 1) -> probabilities of three classes."""
    return keras.Sequential(
        [
            keras.Input((96, 64, 64, 1)),
            layers.Conv3D(32, (15, 3, 3), activation="relu"),
            layers.MaxPooling3D(3),
            layers.Dropout(0.5),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


class Step:
    """A training step of one of the networks on one batch of noise.

    Args:
        name: of the network.
        batch: number of clips.
    """

    def __init__(self, name: str, batch: int) -> None:
        build = {"learnet": learnet, "microexp_stcnn": microexp_stcnn}[name]
        self.network = build()
        self.network.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        self.clips = rng.random((batch, *self.network.input_shape[1:]), dtype=np.float32)
        self.labels = rng.integers(0, 3, batch)

    def __call__(self) -> float:
        """Take the step; return the loss."""
        return float(self.network.train_on_batch(self.clips, self.labels))

    def parameter_count(self) -> int:
        """Weights of the network, moving statistics included."""
        return int(self.network.count_params())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["learnet", "microexp_stcnn"])
    parser.add_argument("--batch", type=int, default=8)
    arguments = parser.parse_args()
    step = Step(arguments.name, arguments.batch)
    step()
    start = time.perf_counter()
    step()
    print(f"{time.perf_counter() - start:.3f} s")
