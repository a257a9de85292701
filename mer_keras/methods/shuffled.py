"""Any method, taught permuted labels."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from mer_keras.arrays import Inputs, Labels
from mer_keras.methods.contract import FitOptions, FoldOptions, FoldResult, Method, Probabilities
from mer_keras.training.fold import FitRecord, FoldRows
from mer_keras.training.learned import Learned


class ShuffledLabels(Method):
    """A method whose training labels are permuted first: what it reaches is chance."""

    def __init__(self, method: Method) -> None:
        """Wrap a method."""
        self._method = method

    @property
    def parameters(self) -> int | None:
        """See ``Method.parameters``."""
        return self._method.parameters

    @property
    def multiply_accumulates(self) -> int | None:
        """See ``Method.multiply_accumulates``."""
        return self._method.multiply_accumulates

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Permute the labels by ``seed``, then fit; see ``Method.fit``."""
        return self._method.fit(x, _permuted(y, options.get("seed", 0)), **options)

    def predict_proba(self, x: Inputs) -> Probabilities:
        """See ``Method.predict_proba``."""
        return self._method.predict_proba(x)

    def learned(self) -> Learned:
        """See ``Method.learned``."""
        return self._method.learned()

    def restore(self, learned: Learned, name: str = "") -> None:
        """See ``Method.restore``."""
        self._method.restore(learned, name)

    def predict_changed(self, x: Inputs) -> Probabilities:
        """See ``Method.predict_changed``."""
        return self._method.predict_changed(x)

    def fit_predict_folds(
        self,
        x: Inputs,
        y: Labels,
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        **options: Unpack[FoldOptions],
    ) -> list[FoldResult]:
        """As ``Method.fit_predict_folds``; each fold permutes its training labels by its seed."""
        outcomes: list[FoldResult] = []
        for rows, seed in zip(folds, seeds, strict=True):
            permuted = y.copy()
            permuted[rows.train] = _permuted(y[rows.train], seed)
            outcomes += self._method.fit_predict_folds(x, permuted, [rows], [seed], **options)
        return outcomes


def _permuted(y: Labels, seed: int) -> Labels:
    return np.random.default_rng(seed).permutation(y)
