"""A feature of each clip, and a scikit-learn classifier of these features."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Unpack

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import JsonValue
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline

from mer_keras.arrays import Array, Inputs, Labels
from mer_keras.config.method import Classical
from mer_keras.errors import ConfigError
from mer_keras.features.registry import check_feature
from mer_keras.methods.classifiers import make_classifier, sample_weights
from mer_keras.methods.contract import FitOptions, FoldOptions, FoldResult, Method, Probabilities
from mer_keras.methods.estimators import EstimatorMethod
from mer_keras.methods.feature_vectors import feature_vectors
from mer_keras.methods.kernels import FeatureTable, KernelSVM
from mer_keras.methods.stored_classifiers import Chain, Classifier
from mer_keras.methods.transfer import matching_weights
from mer_keras.protocols.splits import assign_groups
from mer_keras.training.fold import FitRecord, FoldFailedError, FoldOutcome, FoldRows
from mer_keras.training.learned import Learned
from mer_keras.training.memory import keep_freed_memory

#: Numbers of clips in a feature table.
Rows = NDArray[np.int64]


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
        check_feature(config.feature, config.arguments)
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

    def learned(self) -> Learned:
        """What the classifier has learned; the feature has nothing that is fitted."""
        return self._classifier.learned()

    def restore(self, learned: Learned, name: str = "") -> None:
        """See ``Method.restore``."""
        self._classifier.restore(learned, name)

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
        # A feature asks for the same arrays clip after clip; fresh pages cost more than its sums.
        keep_freed_memory()
        return feature_vectors(self._config.feature, x, self._config.arguments)


class FeatureClassifier(EstimatorMethod):
    """A classifier of feature vectors, (clips, length) float32."""

    def __init__(self, config: Classical, classes: int) -> None:
        """See ``ClassicalMethod``."""
        super().__init__(classes)
        self._config = config
        self._table = FeatureTable(np.empty((0, 0), np.float32))
        self._training: Rows = np.empty(0, np.int64)
        for values in self._combinations():
            self._new_classifier(values, seed=0)  # It checks the names.

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Choose a combination of values, then fit the classifier; see ``Method.fit``.

        Of the values to choose among, that combination is taken whose macro F1 is highest, the
        first of equals: on the validation clips, where there are any; else on training clips, each
        decided for while its subject was left out, all of them pooled; else, where no subjects are
        known, the first combination.
        """
        if self._config.looks_at_tested_clips:
            raise ConfigError(
                f"classifier {self._config.classifier!r} with adapt 'stm' weighs training clips by "
                "the tested ones, so that it can be run in the folds of an experiment only"
            )
        vectors, labels = _vectors(x), y
        validation, subjects = options.get("validation"), options.get("subjects")
        if validation is not None:
            vectors = np.concatenate([vectors, _vectors(validation[0])])
            labels = np.concatenate([labels, validation[1]])
        self._table = FeatureTable(vectors)
        rows = np.arange(len(vectors))
        count = len(y)
        fold = FoldRows(rows[:count], rows[count:], rows[:0], subjects=subjects)
        return self._fit_rows(labels, fold, options.get("seed", 0))

    def predict_proba(self, x: Inputs) -> Probabilities:
        """Decide for each clip, (clips, classes) float32 of 0 and 1."""
        _check_features(_vectors(x))
        return super().predict_proba(x)

    def _fit_predict(
        self, x: Inputs, y: Labels, rows: FoldRows, seed: int, **options: Unpack[FoldOptions]
    ) -> FoldOutcome:
        """As ``Method`` does, by rows of one feature table, which all folds share."""
        started = time.perf_counter()
        if self._table.vectors is not x:
            self._table = FeatureTable(_vectors(x))
        fit = self._fit_rows(y, rows, seed)
        return FoldOutcome(
            probabilities=self._decisions(rows.test),
            epoch=fit.epoch,
            seconds=time.perf_counter() - started,
            copies=None if rows.copies is None else self._decisions(rows.copies),
            chosen=fit.chosen,
            learned=self.learned() if options.get("keep_learned") else None,
        )

    def _fit_rows(self, y: Labels, rows: FoldRows, seed: int) -> FitRecord:
        """Choose and fit by rows of the feature table; ``y`` has the classes of all its clips."""
        _check_features(self._table.vectors[rows.train])
        _check_features(self._table.vectors[rows.val])
        combinations = list(self._combinations())
        estimator = None
        if len(rows.val) and len(combinations) > 1:
            fitted = [
                self._fit_one(y, rows.train, values, seed, rows.val) for values in combinations
            ]
            answers = [self._predict(classifier, rows.train, rows.val) for classifier in fitted]
            best = self._best(y[rows.val], answers)
            chosen = combinations[best]
            if not self._config.looks_at_tested_clips:  # Else it was adapted to other clips.
                estimator = fitted[best]
        else:
            chosen = self._chosen_by_subjects(y, rows, combinations, seed)
        if estimator is None:
            estimator = self._fit_one(y, rows.train, chosen, seed, rows.test)
        self.estimator = estimator
        self._training = rows.train
        return FitRecord(epoch=0, chosen=chosen)

    def _chosen_by_subjects(
        self, y: Labels, rows: FoldRows, combinations: list[dict[str, JsonValue]], seed: int
    ) -> dict[str, JsonValue]:
        """The best combination on training clips, of which some subjects at a time are left out."""
        divisions = self._inner(y, rows, seed) if len(combinations) > 1 else []
        if not divisions:
            return combinations[0]
        left_out = np.concatenate([held_back for _, held_back in divisions])
        answers = [
            np.concatenate(
                [
                    self._predict(
                        self._fit_one(y, training, values, seed, held_back), training, held_back
                    )
                    for training, held_back in divisions
                ]
            )
            for values in combinations
        ]
        return combinations[self._best(y[left_out], answers)]

    def _inner(self, y: Labels, rows: FoldRows, seed: int) -> list[tuple[Rows, Rows]]:
        """Divisions of the training clips by subjects: rows that are fitted, rows held back."""
        if rows.subjects is None:
            return []
        labels = y[rows.train]
        largest_class = int(np.bincount(labels).max())
        parts = min(self._config.inner_folds, len(np.unique(rows.subjects)), largest_class)
        if parts < 2:
            return []
        table = pd.DataFrame(
            {"label": labels.astype(str), "subject_id": np.asarray(rows.subjects).astype(str)}
        )
        part_of = assign_groups(table, parts, seed)
        return [
            (rows.train[part_of != part], rows.train[part_of == part])
            for part in range(parts)
            if 0 < np.count_nonzero(part_of == part) < len(part_of)
        ]

    def _fit_one(
        self, y: Labels, training: Rows, chosen: dict[str, JsonValue], seed: int, decided: Rows
    ) -> Classifier:
        """Fit to some clips; ``decided`` are those that it will decide for, for ``adapt`` alone."""
        vectors, labels = self._table.vectors[training], y[training]
        if len(set(labels.tolist())) == 1:  # Classifiers refuse a single class.
            return DummyClassifier().fit(vectors, labels)
        with self._errors_told():
            classifier = self._new_classifier(chosen, seed)
            if isinstance(classifier, KernelSVM):
                matrix = self._table.matrix(classifier, training, training)
                return classifier.fit(vectors, labels, matrix)
            weights: NDArray[np.float64] | float = 1.0
            if self._config.looks_at_tested_clips:
                weights = matching_weights(vectors, self._table.vectors[decided])
            return classifier.fit(vectors, labels, **sample_weights(classifier, labels, weights))

    def _predict(self, classifier: Classifier | Chain, training: Rows, rows: Rows) -> Labels:
        """Class numbers that a classifier, fitted to ``training``, gives to other rows."""
        vectors = self._table.vectors[rows]
        with self._errors_told():
            if isinstance(classifier, KernelSVM):
                return classifier.predict(vectors, self._table.matrix(classifier, rows, training))
            predicted: Labels = classifier.predict(vectors)
            return predicted

    @contextmanager
    def _errors_told(self) -> Iterator[None]:
        """Tell numbers that left the range of floats from arguments that a classifier refuses.

        Raises:
            FoldFailedError: features that were finite are no longer, such as after scaling.
            ConfigError: all else; classifiers check the values of their arguments when they fit.
        """
        try:
            with np.errstate(all="ignore"):  # What comes of it is checked by the classifiers.
                yield
        except ValueError as error:
            name = self._config.classifier
            if any(word in str(error) for word in ("NaN", "infinity", "not finite")):
                raise FoldFailedError(
                    f"classifier {name!r}: its features are finite, and what it makes of them is "
                    f"not ({error}): look at the input"
                ) from error
            raise ConfigError(f"classifier {name!r}: {error}") from error

    def _decisions(self, rows: Rows) -> Probabilities:
        """Decide for clips of the feature table, (clips, classes) float32 of 0 and 1."""
        _check_features(self._table.vectors[rows])
        assert self.estimator is not None  # noqa: S101 - It was just fitted.
        predicted = self._predict(self.estimator, self._training, rows)
        return np.eye(self.classes, dtype="float32")[predicted]

    def _new_classifier(self, chosen: dict[str, JsonValue], seed: int) -> Pipeline | KernelSVM:
        arguments = {**self._config.classifier_arguments, **chosen}
        return make_classifier(self._config.classifier, arguments, seed)

    def _combinations(self) -> Iterator[dict[str, JsonValue]]:
        """Every combination of the values to choose among; without any, an empty one."""
        names = self._config.choices
        for values in itertools.product(*names.values()):
            yield dict(zip(names, values, strict=True))

    def _best(self, y: Labels, answers: Sequence[Labels]) -> int:
        """Which answers have the highest macro F1, the first of equals."""
        labels = list(range(self.classes))
        scores = [
            f1_score(y, predicted, labels=labels, average="macro", zero_division=0)
            for predicted in answers
        ]
        return int(np.argmax(scores))


def _check_features(x: Array) -> None:
    finite = np.isfinite(x).all(axis=1)  # (clips,)
    if not finite.all():
        raise FoldFailedError(
            f"the feature of clip {int(np.argmin(finite)) + 1} of {finite.size} is not finite: "
            "look at the input"
        )


def _vectors(x: Inputs) -> Array:
    """Feature vectors as one array, (clips, length) float32."""
    return np.asarray(x, np.float32)
