"""Small networks on optical flow are trained without ``fit`` too, with the same results."""

from functools import partial

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from mer_keras.training.trainer import Trainer  # noqa: E402
from mer_keras.training.vectorised.engine import folds_at_once  # noqa: E402
from tests.models.small import build_small, marked  # noqa: E402
from tests.training.vectorised.test_all_folds import (  # noqa: E402
    assert_alike,
    folds_of,
    one_by_one,
    pytestmark,  # noqa: F401
    recipe,
    together,
)

RECIPE = recipe(
    optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    epochs=2,
    engine="vectorised",
)
RCN = partial(build_small, "rcn", maps=8, pool=2)


@pytest.fixture(scope="module")
def clips():
    """Images of 28x28, brighter elsewhere in each class."""
    rng = np.random.default_rng(0)
    labels = (np.arange(40) % 3).astype("int32")
    images = rng.random((40, 28, 28, 3)).astype("float32") * 0.5
    for image, label in zip(images, labels, strict=True):
        image[6:16, 8 * label : 8 * label + 8] += 0.4
    return images, labels


@pytest.mark.parametrize("name", marked(["off_apexnet", "dual_inception", "off_tanet", "sssnet"]))
def test_nothing_keeps_folds_from_being_trained_together(name):
    assert folds_at_once(Trainer(partial(build_small, name), RECIPE)) >= 1


@pytest.mark.parametrize("at_once", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_recurrent_network(clips, at_once):
    """Two folds have batches that rows fill up, and these rows must not count."""
    folds = folds_of((4, 5))
    assert_alike(
        together(RECIPE, clips, folds, at_once=at_once, network=RCN),
        one_by_one(RECIPE, clips, folds, network=RCN),
    )
