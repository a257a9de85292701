"""A small network and small folds for tests of training."""

from dataclasses import dataclass, replace

import keras
import numpy as np

from mer_keras.config.training import Train
from mer_keras.training.trainer import Trainer


def build():
    clips = keras.Input((4, 6, 6, 1), name="clip")
    x = keras.layers.Flatten(name="flatten")(clips)
    x = keras.layers.Dense(8, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(clips, keras.layers.Dense(2, activation="softmax", name="out")(x))


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.01}, "epochs": 4, "batch_size": 8}
    return Train.model_validate(base | changes)


AUGMENTED = recipe(
    augmentation={"flip": 0.5, "brightness": 0.1, "salt_pepper": 0.02},
    standardise=True,
    balance="oversample",
)


@dataclass(frozen=True)
class Fold:
    """Training clips, of which class 0 has more, and others that are watched or tested."""

    x: np.ndarray
    y: np.ndarray
    watched: tuple[np.ndarray, np.ndarray]
    tested: np.ndarray

    @property
    def unwatched(self):
        return replace(self, watched=None)

    def fit(self, trainer, seed, on_epoch=None):
        return trainer.fit(self.x, self.y, validation=self.watched, seed=seed, on_epoch=on_epoch)

    def trained(self, settings, seed):
        """Fit a new network; return the record, and probabilities of tested clips."""
        trainer = Trainer(build, settings)
        return self.fit(trainer, seed), trainer.predict(self.tested)


def fold(seed=0, train=20, test=6):
    rng = np.random.default_rng(seed)

    def part(count):
        labels = (np.arange(count) % 3 == 1).astype("int32")
        clips = rng.random((count, 4, 6, 6, 1)).astype("float32") * 0.5
        clips[labels == 1, 2] += 0.4
        return clips, labels

    (x, y), watched, (tested, _) = part(train), part(8), part(test)
    return Fold(x, y, watched, tested)
