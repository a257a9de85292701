"""Networks with frozen first layers: what these give is computed once, and all else is the same."""

import keras
import numpy as np
import pytest

from mer_keras.training import trainer as trainer_module
from mer_keras.training.frozen import Front, divide
from mer_keras.training.trainer import Trainer
from tests.models.small import build_small
from tests.training.small import fold, recipe


def build(trained_front=False):
    """A convolution and a dense layer, with dropout behind each; the convolution may be frozen."""
    clips = keras.Input((4, 6, 6, 1), name="clip")
    x = keras.layers.Rescaling(2.0, name="scaled")(clips)
    x = keras.layers.Conv3D(3, 2, activation="relu", name="conv")(x)
    flat = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(flat)
    x = keras.layers.Dense(5, activation="relu", name="hidden")(x)
    x = keras.layers.Concatenate(name="both")([x, flat])
    outputs = keras.layers.Dense(2, activation="softmax", name="out")(x)
    network = keras.Model(clips, outputs)
    network.get_layer("conv").trainable = trained_front
    return network


def given(network):
    """Weights as somebody's file would give them."""
    network.get_layer("conv").kernel.assign(np.linspace(-1, 1, 24).reshape(2, 2, 2, 1, 3))


@pytest.fixture
def computed(monkeypatch):
    """One entry for each clip that the front was asked for."""
    clips, compute = [], Front._computed
    monkeypatch.setattr(Front, "_computed", lambda self, x: clips.append(1) or compute(self, x))
    return clips


def test_the_front_ends_where_something_is_trained_or_drawn():
    front = divide(build())
    (values,) = front.values([np.ones((2, 4, 6, 6, 1), "float32")]).values()
    assert values.shape == (2, 3 * 5 * 5 * 3)
    assert divide(build(trained_front=True)) is None


def test_statistics_that_training_moves_are_no_front():
    clips = keras.Input((4, 6, 6, 1))
    x = keras.layers.BatchNormalization(scale=False, center=False, name="norm")(clips)
    x = keras.layers.Flatten()(x)
    network = keras.Model(clips, keras.layers.Dense(2, name="out")(x))
    assert divide(network) is None
    network.get_layer("norm").trainable = False
    assert divide(network) is not None


@pytest.mark.slow
def test_a_training_is_what_it_would_be_without_the_division(monkeypatch):
    settings, results = recipe(standardise=True), []
    for how in (divide, lambda network: None):
        monkeypatch.setattr(trainer_module, "divide", how)
        trainer = Trainer(build, settings)
        records = [fold(seed).fit(trainer, seed) for seed in (0, 1)]
        results.append((records[-1], trainer.predict(fold(1).tested), trainer.learned().arrays))
    (divided, probabilities, weights), (whole, expected, expected_weights) = results
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert divided.epoch == whole.epoch
    np.testing.assert_allclose(divided.history["loss"], whole.history["loss"], rtol=1e-4)
    assert weights.keys() == expected_weights.keys()
    for path, values in weights.items():
        np.testing.assert_allclose(values, expected_weights[path], atol=1e-5)


def test_values_are_computed_once_a_clip_and_kept_where_weights_are_given(
    tmp_path, monkeypatch, computed
):
    monkeypatch.setenv("MER_CACHE", str(tmp_path))
    clips = fold()
    trainer = Trainer(build, recipe(epochs=2), given)
    clips.fit(trainer, 0, lambda epoch, epochs: trainer.predict(clips.tested))
    every_clip = len(clips.x) + len(clips.watched[0]) + len(clips.tested)
    assert len(computed) == every_clip + 1  # One more tells functions apart.
    again = Trainer(build, recipe(epochs=2), given)
    clips.fit(again, 1)
    assert len(computed) == every_clip + 2
    np.testing.assert_array_equal(
        again.network.get_layer("conv").kernel, trainer.network.get_layer("conv").kernel
    )


def test_drawn_weights_leave_nothing_on_the_disk(tmp_path, monkeypatch, computed):
    monkeypatch.setenv("MER_CACHE", str(tmp_path))
    trainer = Trainer(build, recipe(epochs=1))
    for seed in (0, 1):  # The second fold has other weights.
        fold().fit(trainer, seed)
    once = len(fold().x) + len(fold().watched[0])
    assert len(computed) == 2 * (once + 1)
    assert not list(tmp_path.rglob("*.clip"))


def test_both_streams_of_elrcn_end_behind_their_first_dense_layer():
    front = divide(build_small("elrcn_te", frozen=True))
    clips = [np.ones((1, 3, 32, 32, 3), "float32")] * 2
    assert [values.shape for values in front.values(clips).values()] == [(1, 3, 64)] * 2
    assert divide(build_small("elrcn_te")) is None
