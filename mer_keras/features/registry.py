"""All features by name, and how a feature is computed for many clips.

A feature is a function from the array of one clip, and arguments that all have defaults, to one
vector. To add one, write the function and add its line to ``FEATURES``.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TypeAlias

import numpy as np

from mer_keras.arrays import Array, Inputs, count
from mer_keras.errors import ConfigError, did_you_mean

Feature: TypeAlias = Callable[..., Array]

#: Name of a feature -> its module and function; the module is imported when it is needed.
FEATURES: dict[str, str] = {
    "bi_woof": "mer_keras.features.bi_woof:bi_woof",
    "bi_woof_phase": "mer_keras.features.bi_woof:bi_woof_phase",
    "fdm": "mer_keras.features.fdm:fdm",
    "fhofo": "mer_keras.features.hoof:fhofo",
    "flow_length": "mer_keras.features.flow:flow_length",
    "higo_top": "mer_keras.features.gradient_histograms:higo_top",
    "hog_3d": "mer_keras.features.gradient_histograms:hog_3d",
    "hog_top": "mer_keras.features.gradient_histograms:hog_top",
    "hoof": "mer_keras.features.hoof:hoof",
    "lbp_mop": "mer_keras.features.lbp_sip:lbp_mop",
    "lbp_sip": "mer_keras.features.lbp_sip:lbp_sip",
    "lbp_top": "mer_keras.features.lbp_top:lbp_top",
    "mbh": "mer_keras.features.mbh:mbh",
    "mdmo": "mer_keras.features.mdmo:mdmo",
    "pixels": "mer_keras.features.pixels:pixels",
    "plain_flow": "mer_keras.features.flow:plain_flow",
    "stclqp": "mer_keras.features.stclqp:stclqp",
    "stlbp_ip": "mer_keras.features.stlbp_ip:stlbp_ip",
}

#: Features of several inputs: the first argument is a tuple of so many arrays.
SEVERAL_INPUTS: dict[str, int] = {"bi_woof_phase": 2}


def get_feature(name: str) -> Feature:
    """Return the function that computes a feature of one clip.

    Raises:
        ConfigError: no feature has this name.
    """
    if name not in FEATURES:
        raise ConfigError(
            f"no feature {name!r}{did_you_mean(name, FEATURES)}; known: {', '.join(FEATURES)}; for "
            "a new one, add a line to FEATURES in mer_keras/features/registry.py"
        )
    module, _, function = FEATURES[name].partition(":")
    feature: Feature = getattr(import_module(module), function)
    return feature


def check_feature(name: str, arguments: Mapping[str, object]) -> None:
    """Check that there is a feature of this name, and that it takes these arguments.

    Raises:
        ConfigError: it isn't there, or doesn't take them.
    """
    from mer_keras.features.arguments import check_arguments

    check_arguments(f"feature {name!r}", get_feature(name), arguments)


def extract(name: str, clips: Inputs, arguments: Mapping[str, object]) -> Array:
    """Compute a feature of each clip.

    Args:
        name: a key of ``FEATURES``.
        clips: float32 (clips, ...), or a list of clips of different lengths; a tuple of these for
            a feature of several inputs.
        arguments: of the feature, by name.

    Returns:
        float32 (clips, length), in the order of ``clips``.

    Raises:
        ConfigError: no feature has this name, an argument can't be, it is computed from another
            number of inputs or can't be computed from a clip, or clips of different lengths have
            vectors of different lengths.
    """
    check_feature(name, arguments)
    total = count(clips)
    vectors = (
        vector_of(name, clip, arguments, number, total)
        for number, clip in enumerate(_one_by_one(name, clips), start=1)
    )
    return feature_table(name, vectors, total)


def vector_of(
    name: str,
    clip: Array | tuple[Array, ...],
    arguments: Mapping[str, object],
    number: int,
    total: int,
) -> Array:
    """Compute a feature of clip ``number`` of ``total``, float32 (length,); see ``extract``.

    Raises:
        ConfigError: the feature can't be computed; the message names the clip by its number.
    """
    try:
        return get_feature(name)(clip, **arguments)
    except ConfigError as error:
        raise ConfigError(f"clip {number} of {total}: {error}") from error
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        values = ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "none"
        raise ConfigError(
            f"feature {name!r} can't be computed of clip {number} of {total} with the "
            f"arguments {values}: {error}; change them in the row or in its method"
        ) from error


def feature_table(name: str, vectors: Iterable[Array], total: int) -> Array:
    """Write ``total`` vectors of a feature into one array, float32 (total, length).

    Raises:
        ConfigError: they differ in length.
    """
    table = np.empty((0, 0), np.float32)
    for row, vector in enumerate(vectors):
        if row == 0:
            table = np.empty((total, len(vector)), np.float32)
        if len(vector) != table.shape[1]:
            raise ConfigError(
                f"feature {name!r} has {len(vector)} values for clip {row + 1} of {total}, "
                f"{table.shape[1]} for the first: it needs clips of one length; choose another "
                "'sampling' than 'whole' for the input, or another feature"
            )
        table[row] = vector
    return table


def _one_by_one(name: str, clips: Inputs) -> Iterable[Array | tuple[Array, ...]]:
    """What a feature is given of each clip, one after the other."""
    expected, found = SEVERAL_INPUTS.get(name, 1), len(clips) if isinstance(clips, tuple) else 1
    if found != expected and count(clips):
        raise ConfigError(
            f"feature {name!r} is computed from {expected} input{'s' * (expected > 1)}, found "
            f"{found}: change the 'input' of its row or method"
        )
    return zip(*clips, strict=True) if isinstance(clips, tuple) else clips
