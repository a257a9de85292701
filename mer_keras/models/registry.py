"""All networks by name. Listing them needs no Keras; only building one does."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mer_keras.errors import ConfigError, UserError, did_you_mean


@dataclass(frozen=True)
class ModelSpec:
    """What is known of a network without building it.

    Attributes:
        name: used in configs.
        title: for readers.
        paper: authors, venue and year.
        builder: ``module:function``.
        input_shape: the paper's, without the batch.
        classes: the paper's.
        published_parameters: as printed; ``None`` where nothing is.
        built_parameters: of the default reading at ``input_shape``, moving statistics included.
        trainable_parameters: those that training changes.
        leaves_open: what the paper does not say, in a line.
    """

    name: str
    title: str
    paper: str
    builder: str
    input_shape: tuple[int, ...]
    classes: int
    published_parameters: int | None
    built_parameters: int
    trainable_parameters: int
    leaves_open: str


_ESANN = "Upadhya, Verlekar, ESANN 2025"
_MODULE = "mer_keras.models."

_SPECS = (
    ModelSpec(
        name="shallow_convlstm",
        title="shallow ConvLSTM",
        paper="Shukla, Rai, Verlekar, ACCV 2022 workshops",
        builder=_MODULE + "shallow_convlstm:build",
        input_shape=(9, 90, 90, 1),
        classes=3,
        published_parameters=None,
        built_parameters=11_664_323,
        trainable_parameters=11_664_323,
        leaves_open="padding, which states are passed on, peepholes",
    ),
    ModelSpec(
        name="shallow_attention_conv3d",
        title="block-wise 3-D convolution and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_conv3d",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=28_000_000,
        built_parameters=2_132_725,
        trainable_parameters=2_132_725,
        leaves_open="padding, pooling stride, width of a head; no reading gives 28 or 55 million",
    ),
    ModelSpec(
        name="shallow_attention_conv2d",
        title="frame-wise 2-D convolution and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_conv2d",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=55_000_000,
        built_parameters=6_165_269,
        trainable_parameters=6_165_269,
        leaves_open="padding, pooling stride, width of a head; no reading gives 28 or 55 million",
    ),
    ModelSpec(
        name="shallow_attention_convlstm",
        title="2-D ConvLSTM and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_convlstm",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=6_000_000,
        built_parameters=6_002_253,
        trainable_parameters=6_002_253,
        leaves_open="padding, pooling stride, width of a head",
    ),
    ModelSpec(
        name="ststnet",
        title="STSTNet",
        paper="Liong, Gan, See, Khor, Huang, FG 2019",
        builder=_MODULE + "ststnet:build",
        input_shape=(28, 28, 3),
        classes=3,
        published_parameters=None,
        built_parameters=1_715,
        trainable_parameters=1_683,
        leaves_open="the recipe is that of the authors' PyTorch code",
    ),
)

MODELS = {spec.name: spec for spec in _SPECS}


def get_spec(name: str) -> ModelSpec:
    """Return a network's description.

    Raises:
        UserError: no such network.
    """
    if name not in MODELS:
        raise UserError(
            f"no network {name!r}{did_you_mean(name, MODELS)}; known: {', '.join(MODELS)}"
        )
    return MODELS[name]


def build(
    name: str,
    input_shape: Sequence[int] | None = None,
    classes: int | None = None,
    **arguments: Any,
) -> Any:
    """Build an uncompiled network.

    Args:
        name: a key of ``MODELS``.
        input_shape: without the batch; the paper's if left out.
        classes: the paper's if left out.
        **arguments: readings and options of the builder.

    Returns:
        A ``keras.Model``: clips -> probabilities (batch, classes).

    Raises:
        UserError: no such network.
        ConfigError: an argument that the builder does not have.
    """
    spec = get_spec(name)
    module, function = spec.builder.split(":")
    builder = getattr(import_module(module), function)
    known = [
        parameter.name
        for parameter in inspect.signature(builder).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    unknown = [key for key in arguments if key not in known]
    if unknown:
        raise ConfigError(
            f"network {name!r} has no argument {unknown[0]!r}{did_you_mean(unknown[0], known)}; "
            f"known: {', '.join(known)}"
        )
    return builder(input_shape or spec.input_shape, classes or spec.classes, **arguments)
