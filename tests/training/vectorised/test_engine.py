"""Which networks and recipes are trained without ``fit``."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Train  # noqa: E402
from mer_keras.errors import UserError  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from mer_keras.training.vectorised.engine import folds_at_once  # noqa: E402

BACKEND = keras.backend.backend()


def small():
    return registry.build("ststnet")


def dense(*layers, **arguments):
    """A network of one dense layer behind others."""
    images = x = keras.Input((8, 8, 1))
    for layer in (*layers, keras.layers.Flatten()):
        x = layer(x)
    return keras.Model(images, keras.layers.Dense(2, activation="softmax", **arguments)(x))


def normalised():
    return dense(keras.layers.BatchNormalization(name="norm"))


def large():
    return registry.build("shallow_attention_conv3d")


def nested():
    """Statistics in a layer of a layer, which Keras' private ``_flatten_layers`` alone shows.

    It was tried on Keras 3.15.1.
    """

    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.norms = [keras.layers.BatchNormalization(name="inner")]

        def call(self, images):
            return self.norms[0](images)

    return dense(Block())


def uncounted():
    """Nobody knows what this layer costs."""

    class Unknown(keras.layers.Layer):
        def call(self, images):
            return images

    return dense(Unknown())


def two_inputs():
    images = [keras.Input((8, 8, 1)), keras.Input((8, 8, 2))]
    x = keras.layers.Flatten()(keras.layers.Concatenate()(images))
    return keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))


def regularised():
    return dense(kernel_regularizer="l2")


def constrained():
    return dense(kernel_constraint="max_norm", name="held")


def adding():
    """A layer adds to the loss of training."""

    class Adding(keras.layers.Layer):
        def call(self, images, training=None):
            if training:
                self.add_loss(keras.ops.mean(images))
            return images

        def compute_output_shape(self, shape):
            return shape

    return dense(Adding())


def of_any_height():
    images = keras.Input((None, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(images))
    return keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))


def folds_of(build, **changes):
    recipe = {"optimizer": {"learning_rate": 0.01}, "epochs": 1, "batch_size": 256} | changes
    return folds_at_once(Trainer(build, Train.model_validate(recipe)))


@pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")
def test_small_networks_do_without_fit():
    folds = folds_of(small)
    assert folds == 1 if BACKEND == "tensorflow" else 4 < folds < 100
    assert folds_of(small, folds_at_once=7) == 7
    assert folds_of(large, engine="vectorised", folds_at_once=2) == 2
    assert folds_of(uncounted, engine="vectorised") == 1


@pytest.mark.parametrize(
    ("build", "changes"),
    [
        (large, {}),
        (normalised, {}),
        (nested, {}),
        (two_inputs, {}),
        (uncounted, {}),
        (regularised, {}),
        (constrained, {}),
        (small, {"plateau": {"factor": 0.1, "patience": 1}}),
        (small, {"engine": "sequential", "folds_at_once": 4}),
    ],
    ids=[
        "large",
        "normalised",
        "nested",
        "two inputs",
        "uncounted",
        "regularised",
        "constrained",
        "plateau",
        "sequential",
    ],
)
def test_others_are_fitted(build, changes):
    assert folds_of(build, **changes) == 0


@pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")
@pytest.mark.parametrize(
    ("build", "changes", "said"),
    [
        (normalised, {}, "layer norm would take statistics"),
        (nested, {}, "layer inner would take statistics"),
        (two_inputs, {}, "the network has 2 inputs"),
        (regularised, {}, "layers add losses of their own"),
        (adding, {}, "layers add losses of their own"),
        (constrained, {}, "variable held/kernel has a constraint"),
        (of_any_height, {}, "a side of the input has no fixed length"),
        (small, {"plateau": {"factor": 0.1, "patience": 1}}, "plateau"),
    ],
)
def test_what_cannot_be_is_said_with_its_remedy(build, changes, said):
    with pytest.raises(UserError, match=rf"{said}.*train.engine=sequential"):
        folds_of(build, engine="vectorised", **changes)


@pytest.mark.skipif(BACKEND != "torch", reason="other backends have stacks")
def test_torch_has_no_stacks():
    assert folds_of(small) == 0
    with pytest.raises(UserError, match="torch"):
        folds_of(small, engine="vectorised")
