"""The codebook of a fold: what it learns, and that it learns from training clips alone."""

import numpy as np
import pytest

from mer_keras.config.method import Classical
from mer_keras.errors import ConfigError
from mer_keras.methods.classical import ClassicalMethod
from mer_keras.methods.codebook import Codebook, fisher_scores
from mer_keras.training.fold import FoldRows
from tests.features.volume import as_input, noise

POINTS, GROUPS, BLOCKS = 3, 2, 4


@pytest.fixture(scope="module")
def clips():
    """Histograms of 12 clips of 3 classes, (clips, blocks * groups * 8), and the classes."""
    rng = np.random.default_rng(0)
    x = rng.dirichlet(np.full(8, 0.3), (12, BLOCKS, GROUPS)).astype(np.float32)
    return x.reshape(12, -1), np.arange(12, dtype=np.int32) % 3


def codebook(**arguments):
    return Codebook(POINTS, GROUPS, **{"words": 4, "kept": 3, "random_state": 0} | arguments)


def test_patterns_of_a_word_are_added_in_each_block(clips):
    x, y = clips
    fitted = codebook().fit(x, y)
    counted = fitted.transform(x)
    assert (counted.shape, counted.dtype) == ((12, BLOCKS * GROUPS * 3), np.float32)
    blocks = x.reshape(12, BLOCKS, GROUPS, 8)
    for clip, block, group, word in np.ndindex(12, BLOCKS, GROUPS, 3):
        members = [code for code in range(8) if fitted.pooling_[group][code, word]]
        expected = sum(blocks[clip, block, group, code] for code in members)
        assert counted.reshape(12, BLOCKS, GROUPS, 3)[clip, block, group, word] == pytest.approx(
            expected, rel=1e-5
        )


def test_each_pattern_is_of_the_nearest_word(clips):
    x, y = clips
    pooling = codebook(kept=4).fit(x, y).pooling_
    assert (pooling.sum(axis=2) == 1).all()
    bits = np.array([[code >> bit & 1 for bit in range(POINTS)] for code in range(8)], float)
    weights = x.reshape(12, BLOCKS, GROUPS, 8).sum(axis=(0, 1))
    for group in range(GROUPS):
        words = pooling[group].argmax(axis=1)
        means = np.array(
            [
                np.average(bits[words == word], axis=0, weights=weights[group, words == word])
                for word in range(4)
            ]
        )
        distances = ((bits[:, np.newaxis] - means) ** 2).sum(axis=2)
        assert np.allclose(distances[np.arange(8), words], distances.min(axis=1))


def test_as_many_words_as_patterns_keep_the_histograms(clips):
    x, y = clips
    counted = codebook(words=8, kept=8).fit(x, y).transform(x)
    ordered = np.sort(counted.reshape(12, BLOCKS, GROUPS, 8), axis=3)
    expected = np.sort(x.reshape(12, BLOCKS, GROUPS, 8), axis=3)
    np.testing.assert_allclose(ordered, expected, rtol=1e-6)


def test_the_words_that_tell_classes_apart_are_kept(clips):
    x, y = clips
    blocks = x.reshape(12, BLOCKS, GROUPS, 8) * 0.1
    blocks[..., 5] += y[:, np.newaxis, np.newaxis]  # One pattern says the class.
    fitted = codebook(words=8, kept=1).fit(blocks.reshape(12, -1), y)
    assert (fitted.pooling_.argmax(axis=1) == 5).all()


def test_scores_are_those_of_their_definition():
    rng = np.random.default_rng(0)
    x, y = rng.random((9, 4)), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    x[:, 1], x[:, 2] = y, 7.0
    expected = []
    for value in x.T:
        groups = [value[y == label] for label in range(3)]
        between = sum(len(group) * (group.mean() - value.mean()) ** 2 for group in groups)
        within = sum(len(group) * group.var() for group in groups)
        expected.append(between / within if within else np.inf if between else 0.0)
    scores = fisher_scores(x, y)
    np.testing.assert_allclose(scores[[0, 2, 3]], np.array(expected)[[0, 2, 3]], atol=1e-12)
    assert scores[1] == np.inf


def test_clips_of_few_patterns_have_few_words(clips):
    x, y = np.zeros((12, BLOCKS * GROUPS * 8), np.float32), clips[1]
    x[:, ::8] = 1
    counted = codebook().fit(x, y).transform(x).reshape(12, BLOCKS, GROUPS, 3)
    assert (counted.sum(axis=3) == 1).all()
    assert np.isfinite(codebook().fit(0 * x, y).transform(x)).all()


def test_what_it_cannot_quantise_is_told(clips):
    x, y = clips
    with pytest.raises(ConfigError, match=r"2 groups of 3 points.*multiple of 16.*found \(63,\)"):
        codebook().fit(x[:, 1:], y)
    with pytest.raises(ConfigError, match="4 words of which 5 are kept"):
        codebook(kept=5).fit(x, y)


class TestInAFold:
    """STCLQP as a method: feature, codebook, classifier."""

    CONFIG = Classical(
        feature="stclqp",
        arguments={"points": 4, "radius": [1, 1, 1], "blocks": [2, 2, 1]},
        classifier="codebook_svm",
        classifier_arguments={"points": 4, "words": 6, "kept": 4},
        choices={"C": [0.1, 10]},
        inner_folds=2,
    )

    @pytest.fixture(autouse=True)
    def _empty_cache(self, places):
        """The features of these clips are cached."""

    @pytest.fixture(scope="class")
    def inputs(self):
        clips = np.stack([as_input(noise(4, 9, 9, seed)) for seed in range(13)])
        clips[1::2] = np.sort(clips[1::2], axis=2)  # Gray values grow downwards in one class.
        return clips, np.arange(13, dtype=np.int32) % 2

    #: Two clips are tested, the others are trained on.
    ROWS = FoldRows(
        np.arange(2, 13), np.empty(0, np.int64), np.array([0, 1]), subjects=np.arange(2, 13) % 5
    )

    def test_a_poisoned_tested_clip_changes_nothing(self, inputs):
        x, y = inputs
        poisoned, other = x.copy(), y.copy()
        poisoned[1], other[:2] = 1 - poisoned[1] ** 2, 1 - other[:2]
        stored = []
        for clips, classes in [(x, y), (poisoned, other)]:
            method = ClassicalMethod(self.CONFIG, 2)
            (outcome,) = method.fit_predict_folds(clips, classes, [self.ROWS], [0])
            stored.append((outcome, method.learned()))
        (clean, first), (dirty, second) = stored
        np.testing.assert_array_equal(clean.probabilities[0], dirty.probabilities[0])
        assert clean.chosen == dirty.chosen
        assert first.facts == second.facts
        assert {"0/pooling", "1/vectors"} < set(first.arrays)
        for name, array in first.arrays.items():
            np.testing.assert_array_equal(array, second.arrays[name])

    def test_a_changed_training_clip_changes_the_codebook(self, inputs):
        x, y = inputs
        changed = x.copy()
        changed[2:] = noise(4, 9, 9)[..., np.newaxis] / 255
        books = []
        for clips in (x, changed):
            method = ClassicalMethod(self.CONFIG, 2)
            method.fit(clips[2:], y[2:])
            books.append(method._classifier.estimator[0].pooling_)
        assert not np.array_equal(*books)

    def test_it_finds_the_classes(self, inputs):
        x, y = inputs
        (outcome,) = ClassicalMethod(self.CONFIG, 2).fit_predict_folds(x, y, [self.ROWS], [0])
        np.testing.assert_array_equal(outcome.probabilities.argmax(axis=1), y[:2])
