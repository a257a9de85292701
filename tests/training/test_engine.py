"""Which networks and recipes are trained without ``fit``."""

import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Train  # noqa: E402
from mer_keras.errors import UserError  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.training.engine import folds_at_once  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402

BACKEND = keras.backend.backend()


def small():
    return registry.build("ststnet")


def normalised():
    images = keras.Input((8, 8, 1))
    x = keras.layers.BatchNormalization(name="norm")(images)
    x = keras.layers.Flatten()(x)
    return keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))


def large():
    return registry.build("shallow_attention_conv3d")


def asked(build, **changes):
    recipe = {"optimizer": {"learning_rate": 0.01}, "epochs": 1, "batch_size": 256} | changes
    return folds_at_once(Trainer(build, Train.model_validate(recipe)))


@pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")
def test_small_networks_do_without_fit():
    found = asked(small)
    assert found == 1 if BACKEND == "tensorflow" else 4 < found < 100
    assert asked(small, folds_at_once=7) == 7
    assert asked(large, engine="all_folds", folds_at_once=2) == 2


@pytest.mark.parametrize(
    ("build", "changes"),
    [
        (large, {}),
        (normalised, {}),
        (small, {"plateau": {"factor": 0.1, "patience": 1}}),
        (small, {"engine": "sequential", "folds_at_once": 4}),
    ],
    ids=["large", "normalised", "plateau", "asked"],
)
def test_others_are_fitted(build, changes):
    assert asked(build, **changes) == 0


@pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")
@pytest.mark.parametrize(
    ("build", "changes", "said"),
    [
        (normalised, {}, "layer norm would take statistics"),
        (small, {"plateau": {"factor": 0.1, "patience": 1}}, "plateau"),
    ],
)
def test_what_cannot_be_is_said_with_its_remedy(build, changes, said):
    with pytest.raises(UserError, match=rf"{said}.*train.engine=sequential"):
        asked(build, engine="all_folds", **changes)


@pytest.mark.skipif(BACKEND != "torch", reason="other backends have stacks")
def test_torch_has_no_stacks():
    assert asked(small) == 0
    with pytest.raises(UserError, match="torch"):
        asked(small, engine="all_folds")
