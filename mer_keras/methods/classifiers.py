"""Classifiers of feature vectors by name, each a scikit-learn pipeline."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mer_keras.errors import ConfigError, did_you_mean


def linear_svm(C: float = 1.0) -> Pipeline:  # noqa: N803 - This is scikit-learn's name.
    """A linear support vector machine on standardised features, classes weighed alike."""
    return make_pipeline(StandardScaler(), SVC(kernel="linear", C=C, class_weight="balanced"))


CLASSIFIERS: dict[str, Callable[..., Pipeline]] = {
    "linear_svm": linear_svm,
}


def get_classifier(name: str) -> Callable[..., Pipeline]:
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


def make_classifier(name: str, arguments: Mapping[str, JsonValue], seed: int) -> Pipeline:
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
