import numpy as np
import pytest

from mer_keras.models import baselines


def samples(n=60, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [n // 2, n // 3, n - n // 2 - n // 3])
    inputs = rng.normal(size=(n, 20, 30))
    inputs[labels == 1, :5] += 1
    inputs[labels == 2, 5:10] += 1
    return inputs, labels


def chosen(name, seed=0):
    x, y = samples()
    t, _ = samples(seed=1)
    probabilities = baselines.predict(name, x, y, t, 4, seed)
    assert probabilities.shape == (60, 4)
    np.testing.assert_array_equal(probabilities.sum(axis=1), 1)
    return probabilities.argmax(axis=1)


def test_majority():
    assert set(chosen("majority")) == {0}


def test_stratified_draws_follow_the_training_classes():
    counts = np.bincount(chosen("stratified"), minlength=4)
    assert counts[0] > counts[2] > 0
    assert counts[3] == 0
    assert np.array_equal(chosen("stratified", 3), chosen("stratified", 3))


def test_svm_finds_what_is_there_and_shuffled_labels_do_not():
    _, y = samples(seed=1)
    assert (chosen("linear_svm") == y).mean() > 0.8
    # one permutation may be right by chance, the mean of several is not
    shuffled = [(chosen("shuffled_labels", seed) == y).mean() for seed in range(12)]
    assert np.mean(shuffled) < 0.6


def test_one_training_class_only():
    x, _ = samples()
    for name in baselines.TITLES:
        out = baselines.predict(name, x, np.full(60, 2), x[:3], 4, 0)
        assert set(out.argmax(axis=1)) == {2}


def test_unknown_name():
    with pytest.raises(KeyError):
        baselines.predict("oracle", *samples(), samples()[0], 3, 0)
