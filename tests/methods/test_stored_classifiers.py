"""Fitted classifiers as arrays: they decide as scikit-learn's do, and nothing else is believed."""

import itertools

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from mer_keras.errors import InvariantError, UserError
from mer_keras.methods.classifiers import CLASSIFIERS, make_classifier
from mer_keras.methods.kernels import KERNELS
from mer_keras.methods.stored_classifiers import holds_clips, packed, unpacked
from mer_keras.training.learned import Learned, from_bytes, to_bytes

RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(40, 4))).astype("float32")
NEW = np.abs(RNG.normal(size=(200, 4))).astype("float32")
#: Arguments with which each classifier takes these features, and is small.
ARGUMENTS = {
    "codebook_svm": {"points": 1, "groups": 2, "words": 2, "kept": 1},
    "adaboost": {"rounds": 5},
}
CASES = [
    *((name, ARGUMENTS.get(name, {})) for name in CLASSIFIERS),
    *(("kernel_svm", {"kernel": kernel}) for kernel in KERNELS),
    *(("kernel_svm", {"kernel": k, "standardise": True}) for k in ("linear", "rbf", "poly")),
    ("kernel_svm", {"kernel": "poly", "unit": True, "degree": 2, "coef0": 0.5, "gamma": 0.7}),
    ("adaboost", {"rounds": 3, "depth": 4, "features": 0.5}),
]


def labels(classes):
    """Classes that the features show, in part; the numbers have a gap."""
    numbers = np.array([0, 2, 3, 4, 6], "int32")[:classes]
    order = np.argsort(X[:, 0] + X[:, 1])
    y = np.empty(len(X), "int32")
    y[order] = numbers[np.arange(len(X)) * classes // len(X)]
    y[:classes] = numbers
    return y


def fitted(name, arguments, classes=3):
    return make_classifier(name, arguments, seed=0).fit(X, labels(classes))


def stored(classifier, classes=7):
    """A predictor that was read from the file of a classifier."""
    return unpacked(from_bytes(to_bytes(packed(classifier)), "file"), classes, "file")


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_it_decides_as_it_was_fitted(name, arguments, classes):
    classifier = fitted(name, arguments, classes)
    decided = stored(classifier).predict(NEW)
    np.testing.assert_array_equal(decided, classifier.predict(NEW))
    assert name == "codebook_svm" or len(set(decided.tolist())) > 1


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_what_was_read_is_written_alike(name, arguments):
    content = to_bytes(packed(fitted(name, arguments)))
    assert to_bytes(packed(unpacked(from_bytes(content, "file"), 7, "file"))) == content


@pytest.mark.parametrize("strategy", ["prior", "most_frequent", "stratified"])
def test_draws(strategy):
    dummy = DummyClassifier(strategy=strategy, random_state=5).fit(X, labels(3))
    decided = stored(dummy).predict(NEW)
    np.testing.assert_array_equal(decided, dummy.predict(NEW))
    np.testing.assert_array_equal(stored(stored(dummy)).predict(NEW), decided)


def test_an_unknown_classifier_is_not_stored_in_silence():
    with pytest.raises(InvariantError, match="nothing says how object is stored"):
        packed(object())


@pytest.mark.parametrize("kernel", KERNELS)
def test_only_some_kernels_keep_features_of_clips(kernel):
    learned = packed(fitted("kernel_svm", {"kernel": kernel}))
    assert holds_clips(learned) == (kernel in ("poly", "chi2", "rbf"))
    pairs = 3
    if not holds_clips(learned):
        assert learned.arrays["0/vectors"].shape == (pairs, X.shape[1])


def changed(name, arguments, array=None, value=None, **facts):
    """What a classifier learned, with an array or facts of its last part changed."""
    learned = packed(fitted(name, arguments))
    *parts, last = learned.facts["parts"]
    arrays = dict(learned.arrays)
    if array is not None:
        key = f"{len(parts)}/{array}"
        arrays[key] = value(arrays[key].copy())
    return Learned(arrays, {"parts": [*parts, {**last, **facts}]})


def set_first(value):
    def change(array):
        array.reshape(-1)[0] = value
        return array

    return change


HOSTILE = {
    "a class beyond the last": ("linear_svm", "classes", set_first(7)),
    "a class twice": ("linear_svm", "classes", set_first(2)),
    "a class that is no whole number": ("linear_svm", "classes", lambda a: a + 0.5),
    "too few intercepts": ("linear_svm", "intercepts", lambda a: a[:-1]),
    "a column too few": ("kernel_svm", "vectors", lambda a: a[:-1]),
    "a loop in a tree": ("adaboost", "left", set_first(0)),
    "a node beyond the last": ("adaboost", "right", set_first(10**6)),
    "a leaf without a class": ("adaboost", "leaves", set_first(3)),
    "a threshold too many": ("adaboost", "thresholds", lambda a: np.append(a, 0)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_arrays_that_are_none_of_a_classifier(case):
    name, array, change = HOSTILE[case]
    learned = changed(name, ARGUMENTS.get(name, {}), array, change)
    with pytest.raises(UserError, match=r"file: part \d .* is no classifier of this version"):
        unpacked(learned, 7, "file")


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "os.system"},
        {"kind": None},
        {"kernel": "cubic"},
        {"degree": 2.5},
        {"scale": "wide"},
        {"scale": float("inf")},
    ],
)
def test_facts_that_are_none_of_a_kernel(facts):
    with pytest.raises(UserError, match="is no classifier of this version"):
        unpacked(changed("kernel_svm", {}, **facts), 7, "file")


@pytest.mark.parametrize("parts", [None, [], "parts", [1], [{"kind": "standardise"}] * 9])
def test_facts_without_parts(parts):
    with pytest.raises(UserError, match="file: "):
        unpacked(Learned({}, {"parts": parts}), 7, "file")


def test_parts_in_another_order():
    learned = packed(fitted("linear_svm", {}))
    arrays = {f"{1 - int(name[0])}{name[1:]}": array for name, array in learned.arrays.items()}
    swapped = Learned(arrays, {"parts": learned.facts["parts"][::-1]})
    with pytest.raises(UserError, match="no steps with a classifier behind them"):
        unpacked(swapped, 7, "file")


def test_shares_of_draws_add_up():
    dummy = packed(DummyClassifier(strategy="stratified", random_state=0).fit(X, labels(3)))
    for shares in (dummy.arrays["0/shares"] * 2, -dummy.arrays["0/shares"]):
        with pytest.raises(UserError, match="add up"):
            unpacked(Learned({**dummy.arrays, "0/shares": shares}, dummy.facts), 7, "file")
    for seed in (-1, 2**32, 1.5, "1"):
        facts = {"parts": [{"kind": "draws", "seed": seed}]}
        with pytest.raises(UserError, match="seed"):
            unpacked(Learned(dummy.arrays, facts), 7, "file")


def test_votes_by_a_literal_loop():
    """One against one: the class that wins most pairs, the first of equals."""
    classifier = fitted("linear_svm", {}, classes=5)
    scaler, svm = (part for _, part in classifier.steps)
    decisions = svm.set_params(decision_function_shape="ovo").decision_function(
        scaler.transform(NEW)
    )
    for clip, of_clip in enumerate(decisions):
        wins = dict.fromkeys(svm.classes_.tolist(), 0)
        for pair, value in zip(itertools.combinations(wins, 2), of_clip, strict=True):
            wins[pair[0] if value > 0 else pair[1]] += 1
        assert stored(classifier).predict(NEW[clip : clip + 1]) == max(wins, key=wins.get)
