"""Folds trained together against the same folds trained one by one."""

from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Train  # noqa: E402
from mer_keras.errors import InvariantError  # noqa: E402
from mer_keras.flow_channels import FLOW_CHANNELS, FlowForm  # noqa: E402
from mer_keras.layers.choice import FAST_FORMS, Form, choose, layers_of_form  # noqa: E402
from mer_keras.layers.counted import row_weights  # noqa: E402
from mer_keras.layers.counted_norm import CountedNormalization  # noqa: E402
from mer_keras.layers.streams import ConvNormPool  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.models.cost import multiply_accumulates  # noqa: E402
from mer_keras.training.fold import FoldFailedError, FoldOutcome, FoldRows  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from mer_keras.training.vectorised.all_folds import AllFolds  # noqa: E402
from mer_keras.training.vectorised.batches import chunks  # noqa: E402

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(BACKEND == "torch", reason="has no stacks")

COUNT = 40
#: Largest difference of a probability after a few epochs in float32. Sums are taken in another
#: order, and Adam, which divides a gradient by its own size, passes on a difference in a gradient
#: that is next to nothing. In float64 it is gone (see below).
CLOSE = 2e-4 if BACKEND == "tensorflow" else 3e-3


def build():
    images = keras.Input((10, 10, 3), name="clip")
    x = choose(ConvNormPool)(4, name="streams")(images)
    x = choose(keras.layers.Dropout)(0.3, name="dropout")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax", name="out")(x))


def build_without_dropout():
    images = keras.Input((10, 10, 3), name="clip")
    x = keras.layers.Flatten(name="flatten")(images)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax", name="out")(x))


def build_with_negative_gamma():
    """Then the smallest values of windows are pooled."""
    network = build()
    network.get_layer("streams").gamma.assign([-1.0, 1.0, -0.5, 2.0])
    return network


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.01}, "epochs": 4, "batch_size": 16}
    return Train.model_validate(base | changes)


@pytest.fixture(scope="module")
def clips():
    """Images, and labels of which class 0 has more: in each fold copies are made of the others."""
    rng = np.random.default_rng(0)
    labels = (np.arange(COUNT) % 5 % 3).astype("int32")
    images = rng.random((COUNT, 10, 10, 3)).astype("float32") * 0.5
    for image, label in zip(images, labels, strict=True):
        image[2:6, 3 * label : 3 * label + 3] += 0.4
    return images, labels


def folds_of(sizes=(4, 4, 5), *, watched=False):
    """Leave some clips out; hold the next ones back, to choose the epoch or for nothing."""
    folds, first = [], 0
    for size in sizes:
        test = np.arange(first, first + size)
        val = (test + size) % COUNT
        train = np.setdiff1d(np.arange(COUNT), [*test, *val])
        folds.append(FoldRows(train, val if watched else val[:0], test))
        first += size
    return folds


def one_by_one(settings, clips, folds, network=build):
    images, labels = clips
    trainer = Trainer(network, settings)
    outcomes = []
    for seed, fold in enumerate(folds):
        record = trainer.fit(
            images[fold.train],
            labels[fold.train],
            validation=(images[fold.val], labels[fold.val]) if len(fold.val) else None,
            seed=seed,
        )
        probabilities = trainer.predict(images[fold.test])
        outcomes.append(FoldOutcome(record.epoch, record.history, probabilities=probabilities))
    return outcomes


def together(settings, clips, folds, at_once=3, network=build):
    engine = AllFolds(Trainer(network, settings), *clips)
    seeds = list(range(len(folds)))
    return [
        outcome
        for first in range(0, len(folds), at_once)
        for outcome in engine.fit_predict(
            folds[first : first + at_once], seeds[first : first + at_once]
        )
    ]


def assert_alike(outcomes, expected):
    for outcome, other in zip(outcomes, expected, strict=True):
        np.testing.assert_allclose(outcome.probabilities, other.probabilities, atol=CLOSE)
        assert outcome.epoch == other.epoch
        assert set(outcome.history) == set(other.history)
        for name, curve in other.history.items():
            np.testing.assert_allclose(outcome.history[name], curve, atol=1e-3, err_msg=name)


RECIPES = {
    "plain": recipe(balance="oversample"),
    "gradient descent, a schedule, by class": recipe(
        optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-3},
        step_decay={"factor": 0.5, "every": 2},
        order="by_class",
        balance="oversample",
    ),
    "warm-up, augmented, standardised": recipe(
        optimizer={"learning_rate": 0.01, "warmup": "linear"},
        augmentation={"flip": 0.5, "brightness": 0.1, "salt_pepper": 0.02},
        standardise=True,
        balance="oversample",
    ),
}


def test_fault_55_stacks_flip_flow_as_fit_does(clips):
    """One epoch in which every clip is flipped, against one on clips that were mirrored before."""
    images, labels = clips
    form = FlowForm(FLOW_CHANNELS, ("negate", "keep", "keep"))
    mirrored = images[:, :, ::-1] * np.array([-1, 1, 1], "float32")
    folds = folds_of((4,))
    settings = recipe(epochs=1, order="by_class")
    flipping = recipe(epochs=1, order="by_class", augmentation={"flip": 1.0, "applies_to": "all"})
    engine = AllFolds(Trainer(build_without_dropout, flipping, flow=[form]), images, labels)
    (outcome,) = engine.fit_predict(folds, [0])
    plain = Trainer(build_without_dropout, settings)
    train = folds[0].train
    plain.fit(mirrored[train], labels[train], seed=0)
    expected = plain.predict(images[folds[0].test])
    np.testing.assert_allclose(outcome.probabilities, expected, atol=CLOSE)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX draws other orders and masks")
@pytest.mark.parametrize("name", RECIPES)
def test_one_at_a_time_gives_what_fit_gives(name, clips):
    folds = folds_of()
    expected = one_by_one(RECIPES[name], clips, folds)
    assert_alike(together(RECIPES[name], clips, folds, at_once=1), expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX draws other orders and masks")
@pytest.mark.parametrize("network", [build, partial(registry.build, "ststnet", (10, 10, 3))])
def test_in_float64_nothing_is_left_of_the_difference(clips, network):
    """The two ways do the same: the tolerance of float32 covers nothing but rounding."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        wide = clips[0].astype("float64"), clips[1]
        folds = folds_of()
        expected = one_by_one(RECIPES["plain"], wide, folds, network=network)
        outcomes = together(RECIPES["plain"], wide, folds, at_once=1, network=network)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    for outcome, other in zip(outcomes, expected, strict=True):
        np.testing.assert_allclose(outcome.history["loss"], other.history["loss"], rtol=1e-10)
        np.testing.assert_allclose(outcome.probabilities, other.probabilities, atol=1e-6)


@pytest.mark.parametrize("name", RECIPES if BACKEND == "jax" else ["plain"])
def test_a_stack_gives_what_one_at_a_time_gives(name, clips):
    folds = folds_of()
    alone = together(RECIPES[name], clips, folds, at_once=1)
    assert_alike(together(RECIPES[name], clips, folds), alone)


@pytest.mark.parametrize("form", Form)
def test_stacks_are_right_in_both_forms_of_the_layers(form, clips):
    """TensorFlow's maps over folds convert each operation by itself, and not each of them well."""
    network, folds = build_with_negative_gamma, folds_of((4, 4))
    settings = recipe(optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9})
    with layers_of_form(form):
        alone = together(settings, clips, folds, at_once=1, network=network)
        assert_alike(together(settings, clips, folds, network=network), alone)


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_the_epoch_is_chosen_as_fit_chooses_it(monitor, clips):
    settings = recipe(
        epochs=12,
        optimizer={"learning_rate": 0.05},
        early_stopping={"patience": 2, "monitor": monitor},
    )
    folds = folds_of(watched=True)
    if BACKEND == "tensorflow":
        expected = one_by_one(settings, clips, folds)
    else:
        expected = together(settings, clips, folds, at_once=1)
    outcomes = together(settings, clips, folds)
    assert [outcome.epoch for outcome in outcomes] == [other.epoch for other in expected]
    for outcome, other in zip(outcomes, expected, strict=True):
        assert len(outcome.history["loss"]) == len(other.history["loss"])
        np.testing.assert_allclose(outcome.probabilities, other.probabilities, atol=5e-3)


@pytest.mark.parametrize("at_once", [1, 3] if BACKEND == "jax" else [1])
def test_a_poisoned_clip_that_is_held_out_changes_nothing(at_once, clips):
    """Neither through a filled-up batch's statistics nor through anything else."""
    images, labels = clips
    folds = folds_of()
    clean = together(recipe(), clips, folds, at_once)
    poisoned = images.copy()
    poisoned[np.setdiff1d(np.arange(COUNT), folds[1].train)] = 1e6
    stack = [1] if at_once == 1 else [0, 1, 2]
    engine = AllFolds(Trainer(build, recipe()), poisoned, labels)
    outcomes = engine.fit_predict([folds[index] for index in stack], stack)
    assert outcomes[stack.index(1)].history == clean[1].history


class Traced(keras.layers.Layer):
    """Hands on its inputs and notes for which batches it was compiled.

    ``traces``: the width, and whether some rows only fill up a batch.
    """

    traces: ClassVar[set[tuple[int | None, bool]]] = set()

    def call(self, inputs, training=False):
        if training:
            self.traces.add((inputs.shape[0], row_weights() is not None))
        return inputs


def build_with_norm(by_shape=False):
    """Its statistics are over a whole batch; ``by_shape``: a layer is compiled for each shape."""
    images = keras.Input((10, 10, 3), name="clip")
    x = choose(CountedNormalization)(name="norm")(Traced(name="traced")(images))
    x = FAST_FORMS[ConvNormPool](4, name="streams")(x) if by_shape else x
    x = keras.layers.GlobalMaxPooling2D(name="pool")(x)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax", name="out")(x))


on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX compiles each shape")


@on_tensorflow
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("name", RECIPES)
def test_one_fold_is_not_filled_up_nor_compiled_for_each_size(name, watched, clips):
    """Folds of several sizes share what is compiled, and each gives what ``fit`` gives."""
    folds = folds_of((2, 3, 5), watched=watched)
    expected = one_by_one(RECIPES[name], clips, folds, network=build_with_norm)
    Traced.traces.clear()
    outcomes = together(RECIPES[name], clips, folds, at_once=1, network=build_with_norm)
    assert_alike(outcomes, expected)
    assert Traced.traces == {(None, False)}


@on_tensorflow
def test_a_fold_gives_the_same_bytes_whatever_was_trained_before(clips):
    """A batch holds all clips, so that no width comes twice."""
    folds, settings = folds_of((3, 5)), recipe(batch_size=64)
    one_engine, other_engine = (
        AllFolds(Trainer(build_with_norm, settings), *clips) for _ in range(2)
    )
    one_engine.fit_predict(folds[:1], [0])
    (after,) = one_engine.fit_predict(folds[1:], [1])
    (alone,) = other_engine.fit_predict(folds[1:], [1])
    assert after.history == alone.history
    assert np.array_equal(after.probabilities, alone.probabilities)


@on_tensorflow
@pytest.mark.parametrize(("at_once", "by_shape"), [(1, True), (2, False)])
def test_batches_are_filled_up_where_one_shape_is_needed(at_once, by_shape, clips):
    """A layer that compiles each shape needs one, and so do several folds."""
    Traced.traces.clear()
    together(recipe(), clips, folds_of((4, 4)), at_once, partial(build_with_norm, by_shape))
    assert Traced.traces == {(32, True)}


def test_folds_that_do_not_fit_together_are_refused(clips):
    engine = AllFolds(Trainer(build, recipe()), *clips)
    with pytest.raises(InvariantError, match="batches"):
        engine.fit_predict(folds_of((4, 13)), [0, 1])
    with pytest.raises(InvariantError, match="validation clips, or none"):
        engine.fit_predict([*folds_of((4,)), *folds_of((4,), watched=True)], [0, 1])


@pytest.mark.parametrize("several", [tuple, list])
def test_several_inputs_or_lengths_are_refused(several, clips):
    with pytest.raises(InvariantError, match="one array"):
        AllFolds(Trainer(build, recipe()), several([clips[0], clips[0]]), clips[1])


def test_a_poisoned_clip_that_is_trained_on_changes_all(clips):
    """A test that could not see an influence would pass the one above."""
    images, labels = clips
    folds = folds_of()
    clean = together(recipe(), clips, folds[:1])
    poisoned = images.copy()
    poisoned[folds[0].train[0]] = 1e3
    outcomes = together(recipe(), (poisoned, labels), folds[:1])
    assert np.any(outcomes[0].probabilities != clean[0].probabilities)


def test_a_fold_that_fails_leaves_the_others_alone(clips):
    images, labels = clips
    folds = folds_of((4, 4, 4))
    clean = together(recipe(), clips, folds)
    broken = images.copy()
    # The first and the third fold are trained on this clip; the second holds it out.
    broken[folds[1].test[0]] = np.nan
    broken_folds = [folds[0], replace(folds[1], test=folds[1].test[1:]), folds[2]]
    outcomes = together(recipe(), (broken, labels), broken_folds)
    assert isinstance(outcomes[2], FoldFailedError)
    assert "learning_rate" in str(outcomes[2])
    assert outcomes[1].history == clean[1].history


def test_a_prediction_that_is_not_finite_fails_its_fold_alone(clips):
    """The rows of the first fold are tested last, so that the others are not trained on them."""
    images, labels = clips
    broken = np.append(images, np.full_like(images[:1], np.nan), axis=0)
    folds = folds_of((4, 4))
    folds[0] = replace(folds[0], test=np.append(folds[0].test, COUNT))
    outcomes = together(recipe(), (broken, np.append(labels, 0).astype("int32")), folds)
    assert isinstance(outcomes[0], FoldFailedError)
    assert "clip 5 of 5 is not finite" in str(outcomes[0])
    assert np.isfinite(outcomes[1].probabilities).all()


def test_seeds_and_order_of_the_folds_do_not_matter(clips):
    folds = folds_of((4, 4, 4))
    settings = recipe(optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9})
    engine = AllFolds(Trainer(build, settings), *clips)
    first = engine.fit_predict(folds, [5, 6, 7])
    reversed_folds = engine.fit_predict(folds[::-1], [7, 6, 5])
    assert_alike(reversed_folds[::-1], first)
    network = engine._trainer.network
    assert first[0].parameters == network.count_params()
    assert first[0].multiply_accumulates == multiply_accumulates(network)
    others = engine.fit_predict(folds, [8, 9, 10])
    assert np.any(others[0].probabilities != first[0].probabilities)


def test_copies_are_tested_beside_the_clips(clips):
    settings = recipe(augmentation={"flip": 0.5, "brightness": 0.4})
    (fold,) = folds_of((6,))
    engine = AllFolds(Trainer(build, settings), *clips)
    (outcome,) = engine.fit_predict([replace(fold, copies=fold.test[:2])], [0])
    assert outcome.copies.shape == (2, 3)
    assert np.any(outcome.copies != outcome.probabilities[:2])


def test_progress_is_told(clips):
    steps = []
    AllFolds(Trainer(build, recipe()), *clips).fit_predict(
        folds_of()[:1], [0], on_epoch=lambda *step: steps.append(step)
    )
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_chunks_hold_folds_of_equally_many_batches():
    sizes = [30, 33, 31, 48, 32, 40]
    labels = np.zeros(48, "int32")
    folds = [FoldRows(np.arange(n), np.arange(0), np.arange(1)) for n in sizes]
    assert list(chunks(folds, labels, recipe(), 2)) == [[0, 2], [4], [1, 3], [5]]
    positions = [index for chunk in chunks(folds, labels, recipe(), 4) for index in chunk]
    assert sorted(positions) == list(range(6))


def test_copies_count_among_the_clips_of_a_batch():
    """Both folds have 20 clips; with copies they have 20 and 32."""
    labels = np.array([0, 1] * 10 + [0] * 16 + [1] * 4, "int32")
    folds = [FoldRows(np.arange(n, n + 20), np.arange(0), np.arange(1)) for n in (0, 20)]
    settings = recipe(batch_size=10)
    assert list(chunks(folds, labels, settings, 2)) == [[0, 1]]
    settings = recipe(batch_size=10, balance="oversample")
    assert list(chunks(folds, labels, settings, 2)) == [[0], [1]]
