"""Classifiers of feature vectors by name, each made of scikit-learn's parts."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_sample_weight

from mer_keras.arrays import Labels
from mer_keras.errors import ConfigError, did_you_mean
from mer_keras.methods.codebook import Codebook
from mer_keras.methods.kernels import KernelName, KernelSVM

#: What ``make_classifier`` gives.
NewClassifier: TypeAlias = Pipeline | KernelSVM


def linear_svm(C: float = 1.0) -> Pipeline:  # noqa: N803 - This is scikit-learn's name.
    """A linear support vector machine on standardised features, classes weighed alike."""
    return make_pipeline(StandardScaler(), SVC(kernel="linear", C=C, class_weight="balanced"))


def kernel_svm(
    kernel: KernelName = "linear",
    C: float = 1.0,  # noqa: N803 - This is scikit-learn's name.
    standardise: bool = False,
    unit: bool = False,
    degree: int = 3,
    coef0: float = 1.0,
    gamma: float | None = None,
) -> KernelSVM:
    """A support vector machine on a kernel that is scaled by the training clips; see KernelSVM."""
    return KernelSVM(
        kernel, C, standardise=standardise, unit=unit, degree=degree, coef0=coef0, gamma=gamma
    )


def codebook_svm(
    kernel: KernelName = "hellinger",
    C: float = 1.0,  # noqa: N803 - This is scikit-learn's name.
    points: int = 8,
    groups: int = 9,
    words: int = 50,
    kept: int = 25,
) -> Pipeline:
    """A codebook of patterns that is learnt from the training clips, then ``kernel_svm``."""
    return make_pipeline(Codebook(points, groups, words, kept), KernelSVM(kernel, C))


def adaboost(
    rounds: int = 100,
    depth: int = 2,
    learning_rate: float = 1.0,
    features: float | Literal["sqrt", "log2"] | None = None,
) -> Pipeline:
    """Boosted decision trees; at the start, all classes weigh alike.

    ``features``: of how many values, drawn anew, each branch takes the best; None: of all.
    """
    return make_pipeline(
        AdaBoostClassifier(
            DecisionTreeClassifier(max_depth=depth, max_features=features),
            n_estimators=rounds,
            learning_rate=learning_rate,
        )
    )


CLASSIFIERS: dict[str, Callable[..., NewClassifier]] = {
    "linear_svm": linear_svm,
    "kernel_svm": kernel_svm,
    "codebook_svm": codebook_svm,
    "adaboost": adaboost,
}


def get_classifier(name: str) -> Callable[..., NewClassifier]:
    """Return the function that makes a classifier.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in CLASSIFIERS:
        known = ", ".join(CLASSIFIERS)
        raise ConfigError(
            f"no classifier {name!r}{did_you_mean(name, CLASSIFIERS)}; known: {known}; for a new "
            "one, add a line to CLASSIFIERS in mer_keras/methods/classifiers.py"
        )
    return CLASSIFIERS[name]


def make_classifier(name: str, arguments: Mapping[str, JsonValue], seed: int) -> NewClassifier:
    """Return a new classifier, every random draw of it decided by ``seed``.

    Raises:
        ConfigError: there is none of that name, or it has no such argument.
    """
    function = get_classifier(name)
    try:
        classifier = function(**arguments)
    except TypeError as error:
        raise ConfigError(f"classifier {name!r}: {error}") from error
    draws = [key for key in classifier.get_params() if key.endswith("random_state")]
    return classifier.set_params(**dict.fromkeys(draws, seed))


def sample_weights(classifier: NewClassifier, y: Labels) -> dict[str, NDArray[np.float64]]:
    """Arguments of ``fit`` that make classes weigh alike, where the classifier itself doesn't."""
    if isinstance(classifier, Pipeline):
        name, last = classifier.steps[-1]
        if isinstance(last, AdaBoostClassifier):
            return {f"{name}__sample_weight": compute_sample_weight("balanced", y)}
    return {}
