"""Support vector machines on kernels: values, what is fitted, one matrix for all folds."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_keras.methods.kernels import KERNELS, FeatureTable, KernelSVM

CLIPS, LENGTH = 24, 7


def features(count=CLIPS, seed=0):
    """Histograms, (count, 7) float32, of three classes, one vector without any vote."""
    rng = np.random.default_rng(seed)
    y = (np.arange(count) % 3).astype("int32")
    x = rng.random((count, LENGTH)).astype("float32")
    x[np.arange(count), y] += 1
    x[3] = 0
    return x, y


def dot(first, second):
    return sum(a * b for a, b in zip(first, second, strict=True))


def chi2(first, second):
    return sum((a - b) ** 2 / (a + b) for a, b in zip(first, second, strict=True) if a + b > 0)


def euclid(first, second):
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def root(vector):
    return [np.sign(value) * abs(value) ** 0.5 for value in vector]


def literal_kernel(name, training, first, second, degree=3, coef0=1.0):
    """Values between clips by loops; the scale is that of the training clips alone."""
    pairs = [(a, b) for i, a in enumerate(training) for j, b in enumerate(training) if i != j]
    if name in ("linear", "hellinger", "poly"):
        way = root if name == "hellinger" else list
        scale = 1 / np.mean([dot(way(a), way(a)) for a in training])
        values = [[scale * dot(way(a), way(b)) for b in second] for a in first]
        return np.array(values) if name != "poly" else (np.array(values) + coef0) ** degree
    distance = chi2 if name == "chi2" else euclid
    scale = 1 / np.mean([distance(a, b) for a, b in pairs])
    return np.exp(-scale * np.array([[distance(a, b) for b in second] for a in first]))


@pytest.mark.parametrize("name", KERNELS)
def test_decisions_are_those_of_kernels_written_out(name):
    (x, y), (tested, _) = features(), features(10, seed=1)
    training, others = x.astype(float).tolist(), tested.astype(float).tolist()
    svm = SVC(kernel="precomputed", C=0.7, class_weight="balanced")
    svm.fit(literal_kernel(name, training, training, training), y)
    expected = svm.decision_function(literal_kernel(name, training, others, training))
    machine = KernelSVM(name, 0.7).fit(x, y)
    vectors = machine.prepared(tested)
    kernel = machine._kernel(machine.matrix(vectors, machine.vectors_))
    np.testing.assert_allclose(machine.svm_.decision_function(kernel), expected, atol=1e-4)
    np.testing.assert_array_equal(machine.predict(tested), expected.argmax(axis=1))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("unit", [False, True])
def test_one_matrix_of_all_clips_serves_every_fold(name, unit):
    x, y = features()
    table = FeatureTable(x)
    for fold in range(3):
        tested, training = (
            np.arange(fold, CLIPS, 3),
            np.setdiff1d(np.arange(CLIPS), np.arange(fold, CLIPS, 3)),
        )
        alone = KernelSVM(name, unit=unit).fit(x[training], y[training])
        machine = KernelSVM(name, unit=unit)
        machine.fit(x[training], y[training], table.matrix(machine, training, training))
        assert machine.scale_ == pytest.approx(alone.scale_, rel=1e-12)
        np.testing.assert_array_equal(
            machine.predict(x[tested], table.matrix(machine, tested, training)),
            alone.predict(x[tested]),
        )


def test_standardised_features_have_no_matrix_for_all_folds():
    x, y = features()
    machine = KernelSVM("linear", 0.5, standardise=True)
    rows = np.arange(16)
    assert FeatureTable(x).matrix(machine, rows, rows) is None
    scaler = StandardScaler().fit(x[:16].astype(float))
    by_hand = KernelSVM("linear", 0.5).fit(scaler.transform(x[:16]), y[:16])
    machine.fit(x[:16], y[:16])
    np.testing.assert_array_equal(
        machine.predict(x[16:]), by_hand.predict(scaler.transform(x[16:]))
    )


def test_the_scale_makes_c_mean_the_same_for_small_features():
    (x, y), (tested, _) = features(), features(10, seed=1)
    for name in ("linear", "hellinger", "chi2", "rbf"):
        small = KernelSVM(name).fit(x / 1000, y)
        np.testing.assert_array_equal(
            small.predict(tested / 1000), KernelSVM(name).fit(x, y).predict(tested)
        )


@pytest.mark.parametrize("name", KERNELS)
def test_clips_that_are_all_alike_have_a_scale(name):
    x, y = np.zeros((6, 3), np.float32), np.arange(6) % 2
    machine = KernelSVM(name).fit(x, y)
    assert machine.scale_ == 1
    assert set(machine.predict(x)) <= {0, 1}


def test_a_given_scale_is_taken():
    x, y = features()
    assert KernelSVM("rbf", gamma=0.25).fit(x, y).scale_ == 0.25


def test_what_a_kernel_refuses():
    x, y = features()
    with pytest.raises(ValueError, match="'chi2' takes no negative features"):
        KernelSVM("chi2").fit(-x, y)
    with pytest.raises(ValueError, match="kernel 'gauss', expected one of linear"):
        KernelSVM("gauss").fit(x, y)
