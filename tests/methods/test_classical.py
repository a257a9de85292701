"""A feature and a classifier: what is chosen, and what few or odd training classes do."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_keras.config.method import Classical
from mer_keras.errors import ConfigError
from mer_keras.features import registry
from mer_keras.methods.classical import ClassicalMethod
from mer_keras.training.fold import FoldRows

CLASSES = 4
CHOICES = [1e-6, 1e-3, 0.1, 10.0]


def clips(count=60, seed=0):
    """Noisy clips, (count, 4, 5) float32, of three of four classes, one of them rare."""
    rng = np.random.default_rng(seed)
    y = rng.choice([0, 0, 0, 1, 1, 2], count).astype("int32")
    x = rng.normal(size=(count, 4, 5)).astype("float32")
    x[np.arange(count), y] += 0.7
    return x, y


def method(**changes):
    config = {"classifier": "linear_svm", "classifier_arguments": {"C": 0.001}}
    return ClassicalMethod(Classical.model_validate(config | changes), CLASSES)


def literal_svm(x, y, tested, c):
    """A linear SVM on standardised values, written out."""
    flat, flat_tested = x.reshape(len(x), -1), tested.reshape(len(tested), -1)
    scaler = StandardScaler().fit(flat)
    svm = SVC(kernel="linear", C=c, class_weight="balanced").fit(scaler.transform(flat), y)
    return svm.predict(scaler.transform(flat_tested))


def test_it_is_a_linear_svm_on_standardised_values():
    (x, y), (tested, _) = clips(), clips(seed=1)
    svm = method()
    svm.fit(x, y)
    expected = np.eye(CLASSES, dtype="float32")[literal_svm(x, y, tested, 0.001)]
    np.testing.assert_array_equal(svm.predict_proba(tested), expected)


def test_it_finds_what_is_there():
    (x, y), (tested, labels) = clips(200), clips(200, seed=1)
    x[np.arange(200), y] += 1
    tested[np.arange(200), labels] += 1
    svm = method()
    svm.fit(x, y)
    assert (svm.predict_proba(tested).argmax(axis=1) == labels).mean() > 0.7


@pytest.mark.parametrize("seed", range(4))
def test_validation_chooses_c_as_a_literal_loop_does(seed):
    (x, y), watched, (tested, _) = clips(seed=seed), clips(20, seed + 9), clips(seed=seed + 99)
    svm = method(choices={"C": CHOICES})
    record = svm.fit(x, y, validation=watched)
    best, best_score = None, -1
    for c in CHOICES:
        predicted = literal_svm(x, y, watched[0], c)
        score = f1_score(watched[1], predicted, labels=range(4), average="macro", zero_division=0)
        if score > best_score:  # The first of equals stays.
            best, best_score = c, score
    assert record.chosen == {"C": best}
    chosen = literal_svm(x, y, tested, best)
    np.testing.assert_array_equal(svm.predict_proba(tested).argmax(axis=1), chosen)


def test_without_validation_the_first_values_are_taken():
    record = method(choices={"C": CHOICES}).fit(*clips())
    assert record.chosen == {"C": CHOICES[0]}


def test_the_tested_clips_choose_nothing():
    """C is the same whatever is tested, also with labels that would favour another."""
    x, y = clips(80)
    rows = FoldRows(train=np.arange(40), val=np.arange(40, 60), test=np.arange(60, 80))
    others, labels = x.copy(), y.copy()
    others[60:], labels[60:] = 9, 3
    outcomes = [
        method(choices={"C": CHOICES}).fit_predict_folds(clips, classes, [rows], [0])[0]
        for clips, classes in ((x, y), (others, labels))
    ]
    assert outcomes[0].chosen == outcomes[1].chosen


@pytest.mark.parametrize("label", range(CLASSES))
def test_a_single_training_class_is_the_answer(label):
    x, _ = clips()
    svm = method(choices={"C": CHOICES})
    svm.fit(x, np.full(60, label, "int32"), validation=clips(20, 1))
    assert set(svm.predict_proba(x).argmax(axis=1)) == {label}


def test_a_class_that_is_absent_from_training_has_a_column_of_zeros():
    x, y = clips()
    svm = method()
    svm.fit(x[y != 1], y[y != 1])
    probabilities = svm.predict_proba(x)
    assert probabilities.shape == (60, CLASSES)
    assert not probabilities[:, [1, 3]].any()


def test_a_feature_is_computed_once_for_all_folds(monkeypatch):
    computed = []

    def mean(clip):
        computed.append(len(clip))
        return clip.mean(axis=1)

    monkeypatch.setitem(registry.FEATURES, "mean", "anywhere:mean")
    monkeypatch.setattr(registry, "get_feature", lambda name: mean)
    x, y = clips(12)
    rows = [
        FoldRows(np.delete(np.arange(12), tested), np.array([], int), np.array([tested]))
        for tested in range(12)
    ]
    svm = method(feature="mean")
    for row in rows:  # A run stores each fold before the next one begins.
        svm.fit_predict_folds(x, y, [row], [0])
    assert len(computed) == 12


def test_clips_of_different_lengths(monkeypatch):
    monkeypatch.setitem(registry.FEATURES, "mean", "anywhere:mean")
    monkeypatch.setattr(registry, "get_feature", lambda name: lambda clip: clip.mean(axis=0))
    x, y = clips()
    rng = np.random.default_rng(0)
    lists = [np.repeat(clip, rng.integers(1, 5), axis=0) for clip in x]
    rows = FoldRows(np.arange(40), np.array([], int), np.arange(40, 60))
    of_lists, of_arrays = (
        method(feature="mean").fit_predict_folds(clips, y, [rows], [0])[0].probabilities
        for clips in (lists, x)
    )
    np.testing.assert_allclose(of_lists, of_arrays)


def test_a_feature_that_needs_clips_of_one_length_says_so():
    x, y = clips()
    with pytest.raises(ConfigError, match="clips of one length"):
        method().fit([x[0], *(clip[:3] for clip in x[1:])], y)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"classifier": "linear_smv"}, "no classifier 'linear_smv'.*did you mean 'linear_svm'"),
        ({"classifier_arguments": {"c": 1}}, "linear_svm"),
        ({"classifier_arguments": {"C": "much"}}, "linear_svm"),
        ({"choices": {"C": [-1]}}, "linear_svm"),
        ({"feature": "pixel"}, "did you mean 'pixels'"),
        ({"arguments": {"radius": 1}}, "no argument 'radius'"),
    ],
)
def test_wrong_names_and_arguments_are_told(changes, complaint):
    with pytest.raises(ConfigError, match=complaint):
        method(**changes).fit(*clips())


def test_one_input_only():
    x, y = clips()
    with pytest.raises(ConfigError, match="from 1 input, found 2"):
        method().fit((x, x), y)


def test_it_is_fitted_first():
    with pytest.raises(RuntimeError, match="before fit"):
        method().predict_proba(clips()[0])
