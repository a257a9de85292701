"""A feature of each clip, and a scikit-learn classifier of these features."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
from pydantic import JsonValue
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score

from mer_keras.arrays import Inputs, Labels, OneInput
from mer_keras.config.method import Classical
from mer_keras.errors import ConfigError
from mer_keras.features.registry import extract
from mer_keras.methods.classifiers import make_classifier
from mer_keras.methods.contract import FitOptions, FoldOptions, FoldResult, Method, Probabilities
from mer_keras.methods.estimators import Classifier, EstimatorMethod
from mer_keras.training.fold import FitRecord, FoldFailedError, FoldRows


class ClassicalMethod(Method):
    """A hand-crafted feature and a classifier; a clip's feature is computed once for all folds."""

    def __init__(self, config: Classical, classes: int) -> None:
        """Prepare.

        Args:
            config: feature, classifier, their arguments, and values that are chosen among.
            classes: how many there are, also such that no training clip has.

        Raises:
            ConfigError: there is no such feature, classifier or argument.
        """
        extract(config.feature, [], config.arguments)  # Without clips, it checks the names.
        self._config = config
        self._classifier = FeatureClassifier(config, classes)
        self._latest: tuple[Inputs, Inputs] | None = None

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Fit the classifier to the clips' features; see ``FeatureClassifier.fit``."""
        validation = options.get("validation")
        if validation is not None:
            options["validation"] = self._features(validation[0]), validation[1]
        return self._classifier.fit(self._features(x), y, **options)

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip; see ``FeatureClassifier.predict_proba``."""
        return self._classifier.predict_proba(self._features(x))

    def save(self, folder: Path) -> None:
        """Write the fitted classifier; the feature has nothing that is fitted."""
        self._classifier.save(folder)

    def fit_predict_folds(
        self,
        x: Inputs,
        y: Labels,
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        **options: Unpack[FoldOptions],
    ) -> list[FoldResult]:
        """As ``Method.fit_predict_folds``, on features that are computed once for all calls."""
        if self._latest is None or self._latest[0] is not x:
            self._latest = (x, self._features(x))
        return self._classifier.fit_predict_folds(self._latest[1], y, folds, seeds, **options)

    def _features(self, x: Inputs) -> Inputs:
        """Feature vectors of clips, (clips, length) float32."""
        return extract(self._config.feature, _one_input(x), self._config.arguments)


class FeatureClassifier(EstimatorMethod):
    """A scikit-learn classifier of feature vectors, (clips, length) float32."""

    def __init__(self, config: Classical, classes: int) -> None:
        """See ``ClassicalMethod``."""
        super().__init__(classes)
        self._config = config
        for values in self._combinations():
            self._new_classifier(values, seed=0)  # It checks the names.

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Fit the classifier once for each combination of values to choose among.

        The combination is kept whose macro F1 on the validation clips is highest, the first of
        equals; without validation clips the first. See ``Method.fit``.
        """
        validation, seed = options.get("validation"), options.get("seed", 0)
        _check_features(x)
        best = -1.0
        chosen: dict[str, JsonValue] = {}
        for values in self._combinations():
            classifier = self._fit_one(x, y, values, seed)
            score = 0.0 if validation is None else self._macro_f1(classifier, *validation)
            if score > best:
                best, chosen, self.estimator = score, values, classifier
            if validation is None:
                break
        return FitRecord(epoch=0, chosen=chosen)

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) float32 of 0 and 1."""
        _check_features(x)
        return super().predict_proba(x)

    def _fit_one(self, x: Inputs, y: Labels, chosen: dict[str, JsonValue], seed: int) -> Classifier:
        if len(set(y.tolist())) == 1:  # Classifiers refuse a single class.
            return DummyClassifier().fit(x, y)
        try:
            return self._new_classifier(chosen, seed).fit(x, y)
        except ValueError as error:  # Classifiers check the values of their arguments here.
            raise ConfigError(f"classifier {self._config.classifier!r}: {error}") from error

    def _new_classifier(self, chosen: dict[str, JsonValue], seed: int) -> Classifier:
        arguments = {**self._config.classifier_arguments, **chosen}
        return make_classifier(self._config.classifier, arguments, seed)

    def _combinations(self) -> Iterator[dict[str, JsonValue]]:
        """Every combination of the values to choose among; without any, an empty one."""
        names = self._config.choices
        for values in itertools.product(*names.values()):
            yield dict(zip(names, values, strict=True))

    def _macro_f1(self, classifier: Classifier, x: Inputs, y: Labels) -> float:
        _check_features(x)
        predicted, labels = classifier.predict(x), list(range(self.classes))
        return float(f1_score(y, predicted, labels=labels, average="macro", zero_division=0))


def _check_features(x: Inputs) -> None:
    finite = np.isfinite(x).all(axis=1)  # (clips,)
    if not finite.all():
        raise FoldFailedError(
            f"the feature of clip {int(np.argmin(finite)) + 1} of {finite.size} is not finite: "
            "look at the input"
        )


def _one_input(x: Inputs) -> OneInput:
    if isinstance(x, tuple):
        raise ConfigError(f"a feature is computed from one input, found {len(x)}")
    return x
