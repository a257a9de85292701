"""STSTNet, leave-one-subject-out, as a plain Keras script: what one would write without mer_keras.

The network is built and compiled anew in each fold and trained with ``fit``; the last epoch's
weights are tested. Pooling is Keras' ``same``, which puts its windows one pixel beside PyTorch's.

``python benchmarks/plain_keras.py --epochs 3 --folds 68`` prints seconds and UF1 on drawn data.
"""

import argparse
import time

import keras
import numpy as np
from keras import layers

from mer_keras.bench import flow_like

BATCH = 256


def build() -> keras.Model:
    """Return a new network: (batch, 28, 28, 3) -> (batch, 3) probabilities."""
    images = keras.Input((28, 28, 3))
    streams = []
    for filters in (3, 5, 8):
        x = layers.ZeroPadding2D(2)(images)
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = layers.MaxPooling2D(3, strides=3, padding="same")(x)
        streams.append(layers.Dropout(0.5)(x))
    x = layers.concatenate(streams)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    return keras.Model(images, layers.Dense(3, activation="softmax")(x))


def count_trainable(network: keras.Model) -> int:
    """Return the number of trained parameters."""
    return int(sum(np.prod(weight.shape) for weight in network.trainable_weights))


def leave_one_out(
    flow: flow_like.FlowLike, *, epochs: int, folds: int, learning_rate: float, seed: int
) -> tuple[float, np.ndarray]:
    """Leave out one subject after the other.

    Args:
        flow: the data.
        epochs: of each fold.
        folds: number of subjects that are left out.
        learning_rate: of Adam.
        seed: of weights, order and dropout.

    Returns:
        Seconds, and (clips,) predicted classes; -1 where a clip's fold was left out.
    """
    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    images = flow.images.astype("float32")
    predicted = np.full(len(images), -1)
    for subject in flow.people()[:folds]:
        keras.utils.clear_session()
        test = flow.subjects == subject
        network = build()
        network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy")
        network.fit(images[~test], flow.labels[~test], batch_size=BATCH, epochs=epochs, verbose=0)
        predicted[test] = network.predict(images[test], verbose=0).argmax(axis=1)
    return time.perf_counter() - started, predicted


def main() -> None:
    """Train, and print seconds and the pooled UF1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folds", type=int, default=68)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    flow = flow_like.draw()
    seconds, predicted = leave_one_out(flow, **vars(options))
    print(f"{seconds:.2f} s, UF1 {flow_like.uf1(flow.labels, predicted):.4f}")


if __name__ == "__main__":
    main()
