"""No classical method lets a tested clip decide anything that is fitted.

Every described method is fitted twice: as it is, and with the tested clips replaced by other ones,
far larger and with other labels. Whatever was fitted or chosen must be the same to the last bit:
codebooks, standardisation, the scale of a kernel, C, boosted trees.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from mer_keras.config.files import load_method, method_names
from mer_keras.methods.classical import ClassicalMethod
from mer_keras.training.fold import FoldRows

CLIPS, SIDE = 12, 24
CLASSICAL = [name for name in method_names() if load_method(name).classical is not None]
#: Smaller settings, that change nothing of what is asked here.
SMALLER = {"rounds": 3, "words": 4, "kept": 2}


@pytest.fixture(autouse=True)
def _empty_cache(places):
    """The features of some clips are cached."""


def clips_of(recipe, rng):
    """Random clips as a recipe makes them, (clips, ...) float32."""
    if recipe is None or recipe.kind == "flow_image":
        return rng.uniform(0, 255, (CLIPS, SIDE, SIDE, 3)).astype("float32")
    if recipe.kind == "flow":
        return rng.normal(size=(CLIPS, SIDE, SIDE, 3)).astype("float32")
    return rng.random((CLIPS, recipe.frames, 2 * SIDE, 2 * SIDE, 1)).astype("float32")


def inputs_of(config, rng):
    names = (config.input,) if isinstance(config.input, str) else config.input or ("clips",)
    arrays = tuple(clips_of(config.inputs.get(name), rng) for name in names)
    return arrays[0] if len(arrays) == 1 else arrays


def poisoned(x, rows):
    """Clips whose tested rows are others, far from all that is trained on."""
    if isinstance(x, tuple):
        return tuple(poisoned(part, rows) for part in x)
    changed = x.copy()
    changed[rows] = 250 - changed[rows] if x.max() > 2 else 1 - changed[rows] ** 3
    return changed


def fitted(method):
    """Everything that a method holds after it was fitted."""
    return pickle.dumps(method._classifier.estimator)


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_poisoned_tested_clip_changes_no_fitted_thing(name):
    config = load_method(name)
    classical = config.classical
    smaller = {
        key: value for key, value in SMALLER.items() if key in classical.classifier_arguments
    }
    classical = classical.model_copy(
        update={
            "classifier_arguments": {**classical.classifier_arguments, **smaller},
            "choices": {
                key: (2, 3) if key in SMALLER else values
                for key, values in classical.choices.items()
            },
        }
    )
    rng = np.random.default_rng(0)
    x, y = inputs_of(config, rng), (np.arange(CLIPS) % 3).astype("int32")
    subjects = np.arange(CLIPS) // 3
    rows = FoldRows(
        train=np.flatnonzero(subjects != 2),
        val=np.array([], int),
        test=np.flatnonzero(subjects == 2),
        subjects=subjects[subjects != 2],
    )
    labels = y.copy()
    labels[rows.test] = (labels[rows.test] + 1) % 3
    outcomes, states = [], []
    for clips, classes in ((x, y), (poisoned(x, rows.test), labels)):
        method = ClassicalMethod(classical, 3)
        outcomes.append(method.fit_predict_folds(clips, classes, [rows], [0])[0])
        states.append(fitted(method))
    assert outcomes[0].chosen == outcomes[1].chosen
    assert states[0] == states[1]


def test_a_trained_clip_does_change_it():
    """The comparison would see a leak: one training clip that is another changes the state."""
    rng = np.random.default_rng(0)
    config = load_method("bi_woof")
    x, y = inputs_of(config, rng), (np.arange(CLIPS) % 3).astype("int32")
    states = []
    for clips in (x, poisoned(x, np.array([0]))):
        method = ClassicalMethod(config.classical, 3)
        rows = FoldRows(np.arange(9), np.array([], int), np.arange(9, 12))
        method.fit_predict_folds(clips, y, [rows], [0])
        states.append(fitted(method))
    assert states[0] != states[1]


def test_c_is_chosen_by_training_subjects_alone():
    """A feature that tells subjects apart but no classes must not look good within a subject."""
    rng = np.random.default_rng(0)
    count = 60
    subjects = np.repeat(np.arange(10), 6)
    y = rng.integers(0, 3, 10)[subjects].astype("int32")  # All clips of a subject have one class.
    marks = np.eye(10)[subjects] + rng.normal(size=(count, 10)) * 0.01
    config = load_method("plain_flow").classical.model_copy(
        update={"feature": "pixels", "arguments": {}, "classifier_arguments": {"kernel": "rbf"}}
    )
    rows = FoldRows(np.arange(54), np.array([], int), np.arange(54, 60), subjects=subjects[:54])
    clips = marks.astype("float32")
    by_subjects = ClassicalMethod(config, 3).fit_predict_folds(clips, y, [rows], [0])[0]
    # Were each clip its own subject, its neighbours of the same person would give it away.
    alone = replace(rows, subjects=np.arange(54))
    by_clips = ClassicalMethod(config, 3).fit_predict_folds(clips, y, [alone], [0])[0]
    assert by_subjects.chosen["C"] < by_clips.chosen["C"]
