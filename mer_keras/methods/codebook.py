"""A codebook of binary patterns, learnt from training clips."""

from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted

from mer_keras.arrays import Array, Labels
from mer_keras.errors import ConfigError

Scores: TypeAlias = NDArray[np.float64]


class Codebook(TransformerMixin, BaseEstimator):
    """Histograms of patterns -> histograms of the code words that tell the classes apart best.

    The input holds, block by block, one histogram of all 2^points patterns for each of several
    groups, such as a component in a plane (``features.stclqp.stclqp``). Each group has a codebook
    of its own: the patterns of the training clips, as vectors of bits, are clustered by k-means,
    each pattern weighing as much as it occurs, and every pattern counts for the nearest word. Of
    the words, those are kept whose share in a clip has the greatest Fisher score among the training
    clips. Nothing is learnt from other clips (Huang et al., Neurocomputing 2016; the size of the
    codebook and the number of words kept are the choice here).
    """

    def __init__(
        self,
        points: int = 8,
        groups: int = 9,
        words: int = 50,
        kept: int = 25,
        random_state: int | None = None,
    ) -> None:
        """Prepare.

        Args:
            points: bits of a pattern.
            groups: histograms of a block.
            words: of each group's codebook; fewer where the training clips have fewer patterns.
            kept: words of each group that are kept.
            random_state: seed of k-means.
        """
        self.points = points
        self.groups = groups
        self.words = words
        self.kept = kept
        self.random_state = random_state

    def fit(self, x: Array, y: Labels) -> Self:
        """Learn the words of each group, and which are kept.

        Args:
            x: (clips, blocks * groups * 2^points) histograms.
            y: (clips,) class numbers.

        Raises:
            ConfigError: the histograms aren't of so many points and groups, or more words would be
                kept than there are.
        """
        if not 1 <= self.kept <= self.words:
            raise ConfigError(
                f"a codebook of {self.words} words of which {self.kept} are kept: expected at "
                "least 1, and no more kept than there are"
            )
        blocks = self._blocks(x)  # (clips, blocks, groups, patterns)
        in_clip = blocks.sum(axis=1, dtype=np.float64)  # (clips, groups, patterns)
        patterns = np.arange(2**self.points)
        bits = (patterns[:, np.newaxis] >> np.arange(self.points) & 1).astype(np.float64)
        pooling = np.zeros((self.groups, len(patterns), self.kept), np.float32)
        for group in range(self.groups):
            counted = in_clip[:, group]  # (clips, patterns)
            one_hot = np.eye(self.words)[self._words(bits, counted.sum(axis=0))]
            shares = counted @ one_hot  # (clips, words)
            best = np.argsort(-fisher_scores(shares, y), kind="stable")[: self.kept]
            pooling[group] = one_hot[:, np.sort(best)]
        self.pooling_ = pooling
        return self

    def transform(self, x: Array) -> Array:
        """Count the kept words, (clips, blocks * groups * kept) float32, block by block."""
        check_is_fitted(self)
        blocks = self._blocks(x)  # (clips, blocks, groups, patterns)
        counted = [blocks[:, :, group] @ words for group, words in enumerate(self.pooling_)]
        return np.stack(counted, axis=2).reshape(len(x), -1)  # of (clips, blocks, groups, kept)

    def _words(self, bits: Scores, weights: Scores) -> NDArray[np.int64]:
        """Number of the word of each pattern, (patterns,)."""
        occurring = weights > 0
        count = min(self.words, int(np.count_nonzero(occurring)))
        if count == 0:
            return np.zeros(len(bits), np.int64)
        means = KMeans(count, n_init=1, random_state=self.random_state)
        means.fit(bits[occurring], sample_weight=weights[occurring])
        return np.asarray(means.predict(bits), np.int64)

    def _blocks(self, x: Array) -> Array:
        """Histograms as (clips, blocks, groups, patterns) float32."""
        block = self.groups * 2**self.points
        if x.ndim != 2 or x.shape[1] == 0 or x.shape[1] % block:
            raise ConfigError(
                f"a codebook of {self.groups} groups of {self.points} points needs vectors of a "
                f"multiple of {block} values, found {x.shape[1:]}: it is for the feature stclqp "
                "with as many points"
            )
        return np.asarray(x, np.float32).reshape(len(x), -1, self.groups, 2**self.points)


def fisher_scores(x: Scores, y: Labels) -> Scores:
    """Return how well each value tells the classes apart.

    It is sum_c n_c (m_c - m)^2 / sum_c n_c v_c with the mean m_c, the variance v_c and the number
    n_c of the clips of class c, and the mean m of all.

    Args:
        x: (clips, values).
        y: (clips,) class numbers.

    Returns:
        (values,), 0 or above; infinite where classes differ and no class varies, 0 where nothing
        varies.
    """
    between = np.zeros(x.shape[1])
    within = np.zeros(x.shape[1])
    for label in np.unique(y):
        clips = x[y == label]
        between += len(clips) * (clips.mean(axis=0) - x.mean(axis=0)) ** 2
        within += len(clips) * clips.var(axis=0)
    scores = np.where(between > 0, np.inf, 0.0)
    return np.divide(between, within, out=scores, where=within > 0)
