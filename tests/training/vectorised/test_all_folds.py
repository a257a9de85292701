"""Folds trained together against the same folds trained one by one."""

from functools import partial

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Train  # noqa: E402
from mer_keras.errors import InvariantError  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.terms import Selection  # noqa: E402
from mer_keras.training.fold import FoldFailedError, FoldRows  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from mer_keras.training.vectorised.all_folds import AllFolds, chunks  # noqa: E402

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")

COUNT = 40
#: largest difference of a probability after a few epochs in float32. Sums are taken in another
#: order, and Adam, which divides a gradient by its own size, passes on what differs in one that is
#: next to nothing. In float64 it is gone (see below).
CLOSE = 2e-4 if BACKEND == "tensorflow" else 3e-3


def build():
    images = keras.Input((10, 10, 3), name="clip")
    x = ConvNormPool(4, name="streams")(images)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax", name="out")(x))


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.01}, "epochs": 4, "batch_size": 16}
    return Train.model_validate(base | changes)


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    labels = (np.arange(COUNT) % 3).astype("int32")
    images = rng.random((COUNT, 10, 10, 3)).astype("float32") * 0.5
    for row, label in zip(images, labels, strict=True):
        row[2:6, 3 * label : 3 * label + 3] += 0.4
    return images, labels


def folds_of(sizes=(4, 4, 5), oversampled=False):
    """Leave some clips out; hold the next ones back for the choice of the epoch."""
    folds, first = [], 0
    for size in sizes:
        test = np.arange(first, first + size)
        val = (test + size) % COUNT
        train = np.setdiff1d(np.arange(COUNT), [*test, *val])
        is_copy = np.zeros(len(train), bool)
        if oversampled:
            train, is_copy = np.append(train, train[:3]), np.append(is_copy, [True] * 3)
        folds.append(FoldRows(train, is_copy, val, test))
        first += size
    return folds


def one_by_one(settings, clips, folds, selection, network=build):
    trainer = Trainer(network, settings)
    return [
        trainer.fit_predict(fold.gather(*clips), selection, seed) for seed, fold in enumerate(folds)
    ]


def together(settings, clips, folds, selection, at_once=3, network=build):
    engine = AllFolds(Trainer(network, settings), *clips)
    seeds = list(range(len(folds)))
    return [
        outcome
        for first in range(0, len(folds), at_once)
        for outcome in engine.fit_predict(
            folds[first : first + at_once], selection, seeds[first : first + at_once]
        )
    ]


def assert_alike(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=CLOSE)
        assert one.epoch == other.epoch
        assert set(one.history) == set(other.history)
        for name, curve in other.history.items():
            np.testing.assert_allclose(one.history[name], curve, atol=1e-3, err_msg=name)
        assert one.parameters == other.parameters
        assert one.multiply_accumulates == other.multiply_accumulates


RECIPES = {
    "plain": recipe(),
    "gradient descent, a schedule, by class": recipe(
        optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-3},
        step_decay={"factor": 0.5, "every": 2},
        order="by_class",
    ),
    "warm-up, augmented, standardised": recipe(
        optimizer={"learning_rate": 0.01, "warmup": "linear"},
        augmentation={"flip": 0.5, "brightness": 0.1, "salt_pepper": 0.02},
        standardise=True,
    ),
}


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX draws other orders and masks")
@pytest.mark.parametrize("name", RECIPES)
def test_one_at_a_time_gives_what_fit_gives(name, clips):
    folds = folds_of(oversampled=True)
    expected = one_by_one(RECIPES[name], clips, folds, Selection.LAST_EPOCH)
    found = together(RECIPES[name], clips, folds, Selection.LAST_EPOCH, at_once=1)
    assert_alike(found, expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX draws other orders and masks")
@pytest.mark.parametrize("network", [build, partial(registry.build, "ststnet", (10, 10, 3))])
def test_in_float64_nothing_is_left_of_the_difference(clips, network):
    """So that the two ways do the same, and float32's tolerance covers nothing but rounding."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        wide = clips[0].astype("float64"), clips[1]
        folds = folds_of(oversampled=True)
        given = RECIPES["plain"], wide, folds, Selection.LAST_EPOCH
        expected = one_by_one(*given, network=network)
        found = together(*given, at_once=1, network=network)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-10)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)


@pytest.mark.parametrize("name", RECIPES if BACKEND == "jax" else ["plain"])
def test_a_stack_gives_what_one_at_a_time_gives(name, clips):
    folds = folds_of(oversampled=True)
    alone = together(RECIPES[name], clips, folds, Selection.LAST_EPOCH, at_once=1)
    assert_alike(together(RECIPES[name], clips, folds, Selection.LAST_EPOCH), alone)


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_the_epoch_is_chosen_as_fit_chooses_it(monitor, clips):
    settings = recipe(
        epochs=12,
        optimizer={"learning_rate": 0.05},
        early_stopping={"patience": 2, "monitor": monitor},
    )
    folds = folds_of()
    if BACKEND == "tensorflow":
        expected = one_by_one(settings, clips, folds, Selection.INNER_SUBJECTS)
    else:
        expected = together(settings, clips, folds, Selection.INNER_SUBJECTS, at_once=1)
    found = together(settings, clips, folds, Selection.INNER_SUBJECTS)
    assert [one.epoch for one in found] == [one.epoch for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert len(one.history["loss"]) == len(other.history["loss"])
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=5e-3)


@pytest.mark.parametrize("at_once", [1, 3] if BACKEND == "jax" else [1])
def test_a_poisoned_clip_that_is_held_out_changes_nothing(at_once, clips):
    """Neither through a filled-up batch's statistics nor through anything else."""
    images, labels = clips
    folds = folds_of()
    clean = together(recipe(), clips, folds, Selection.LAST_EPOCH, at_once)
    poisoned = images.copy()
    poisoned[[*folds[1].test, *folds[1].val]] = 1e6
    group = [1] if at_once == 1 else [0, 1, 2]
    engine = AllFolds(Trainer(build, recipe()), poisoned, labels)
    found = engine.fit_predict([folds[p] for p in group], Selection.LAST_EPOCH, group)
    assert found[group.index(1)].history == clean[1].history


def test_folds_that_do_not_fit_together_are_refused(clips):
    engine = AllFolds(Trainer(build, recipe()), *clips)
    with pytest.raises(InvariantError, match="batches"):
        engine.fit_predict(folds_of((4, 13)), Selection.LAST_EPOCH, [0, 1])


def test_a_poisoned_clip_that_is_trained_on_changes_all(clips):
    """A test that could not see an influence would pass the one above."""
    images, labels = clips
    folds = folds_of()
    clean = together(recipe(), clips, folds[:1], Selection.LAST_EPOCH)
    poisoned = images.copy()
    poisoned[folds[0].train[0]] = 1e3
    found = together(recipe(), (poisoned, labels), folds[:1], Selection.LAST_EPOCH)
    assert np.any(found[0].probabilities != clean[0].probabilities)


def test_a_fold_that_fails_leaves_the_others_alone(clips):
    images, labels = clips
    folds = folds_of((4, 4, 4))
    clean = together(recipe(), clips, folds, Selection.LAST_EPOCH)
    broken = images.copy()
    # trained on by the first and the third, held out by the second
    broken[folds[1].test[0]] = np.nan
    found = together(recipe(), (broken, labels), folds, Selection.LAST_EPOCH)
    assert isinstance(found[2], FoldFailedError)
    assert "learning_rate" in str(found[2])
    assert found[1].history == clean[1].history


def test_seeds_and_order_of_the_folds_do_not_matter(clips):
    folds = folds_of((4, 4, 4))
    engine = AllFolds(Trainer(build, recipe()), *clips)
    first = engine.fit_predict(folds, Selection.LAST_EPOCH, [5, 6, 7])
    turned = engine.fit_predict(folds[::-1], Selection.LAST_EPOCH, [7, 6, 5])
    assert_alike(turned[::-1], first)
    others = engine.fit_predict(folds, Selection.LAST_EPOCH, [8, 9, 10])
    assert np.any(others[0].probabilities != first[0].probabilities)


def test_copies_are_tested_beside_the_clips(clips):
    settings = recipe(augmentation={"flip": 0.5, "brightness": 0.4})
    (fold,) = folds_of((6,))
    given = FoldRows(fold.train, fold.is_copy, fold.val, fold.test, fold.test[:2])
    engine = AllFolds(Trainer(build, settings), *clips)
    (outcome,) = engine.fit_predict([given], Selection.LAST_EPOCH, [0])
    assert outcome.copies.shape == (2, 3)
    assert np.any(outcome.copies != outcome.probabilities[:2])


def test_progress_is_told(clips):
    told = []
    AllFolds(Trainer(build, recipe()), *clips).fit_predict(
        folds_of()[:1], Selection.LAST_EPOCH, [0], on_epoch=lambda *step: told.append(step)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_chunks_hold_folds_of_equally_many_batches():
    sizes = [30, 33, 31, 48, 32, 40]
    folds = [FoldRows(np.arange(n), np.zeros(n, bool), np.arange(0), np.arange(1)) for n in sizes]
    assert list(chunks(folds, 16, 2)) == [[0, 2], [4], [1, 3], [5]]
    assert sorted(place for chunk in chunks(folds, 16, 4) for place in chunk) == list(range(6))
