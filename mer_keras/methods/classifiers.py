"""Classifiers of feature vectors by name, each made of scikit-learn's parts."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_sample_weight

from mer_keras.arrays import Labels
from mer_keras.errors import ConfigError, did_you_mean
from mer_keras.features.arguments import Positive, Whole, check_arguments
from mer_keras.methods.codebook import Codebook
from mer_keras.methods.kernels import KernelName, KernelSVM

Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
#: Bits of a pattern.
Bits: TypeAlias = Annotated[int, Field(ge=1, le=16)]
#: Share of the values of a vector.
FeatureShare: TypeAlias = Annotated[float, Field(gt=0, le=1)]
#: Whether training clips are weighed by the tested clips.
Adapt: TypeAlias = Literal["none", "stm"]
#: What ``make_classifier`` gives.
NewClassifier: TypeAlias = Pipeline | KernelSVM


def linear_svm(C: Positive = 1.0) -> Pipeline:  # noqa: N803 - This is scikit-learn's name.
    """A linear support vector machine on standardised features, classes weighed alike."""
    return make_pipeline(StandardScaler(), SVC(kernel="linear", C=C, class_weight="balanced"))


def kernel_svm(
    kernel: KernelName = "linear",
    C: Positive = 1.0,  # noqa: N803 - This is scikit-learn's name.
    standardise: bool = False,
    unit: bool = False,
    degree: Whole = 3,
    coef0: Finite = 1.0,
    gamma: Positive | None = None,
) -> KernelSVM:
    """A support vector machine on a kernel that is scaled by the training clips; see KernelSVM."""
    return KernelSVM(
        kernel, C, standardise=standardise, unit=unit, degree=degree, coef0=coef0, gamma=gamma
    )


def codebook_svm(
    kernel: KernelName = "hellinger",
    C: Positive = 1.0,  # noqa: N803 - This is scikit-learn's name.
    points: Bits = 8,
    groups: Whole = 9,
    words: Whole = 50,
    kept: Whole = 25,
) -> Pipeline:
    """A codebook of patterns that is learnt from the training clips, then ``kernel_svm``."""
    return make_pipeline(Codebook(points, groups, words, kept), KernelSVM(kernel, C))


def adaboost(
    rounds: Whole = 100,
    depth: Whole = 2,
    learning_rate: Positive = 1.0,
    features: FeatureShare | Literal["sqrt", "log2"] | None = None,
    adapt: Adapt = "none",
) -> Pipeline:
    """Boosted decision trees; at the start, all classes weigh alike.

    Args:
        rounds: number of trees.
        depth: of each tree.
        learning_rate: by which each tree's weight is multiplied.
        features: of how many values, drawn anew, each branch takes the best; None: of all.
        adapt: ``stm`` weighs training clips by the tested ones before they are fitted (see
            ``methods.transfer``).
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
        ConfigError: there is none of that name, or an argument can't be.
    """
    function = get_classifier(name)
    check_arguments(f"classifier {name!r}", function, arguments)
    classifier = function(**arguments)
    draws = [key for key in classifier.get_params() if key.endswith("random_state")]
    return classifier.set_params(**dict.fromkeys(draws, seed))


def sample_weights(
    classifier: NewClassifier, y: Labels, weights: NDArray[np.float64] | float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """Arguments of ``fit`` that make classes weigh alike, where the classifier itself doesn't.

    Args:
        classifier: not yet fitted.
        y: (clips,) class numbers of the training clips.
        weights: of the clips beside those of their classes.
    """
    if isinstance(classifier, Pipeline):
        name, last = classifier.steps[-1]
        if isinstance(last, AdaBoostClassifier):
            return {f"{name}__sample_weight": compute_sample_weight("balanced", y) * weights}
    return {}
