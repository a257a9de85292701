"""All networks by name. Listing them needs no Keras; only building one does."""

import inspect
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from mer_keras.arrays import Shape
from mer_keras.errors import ConfigError, UserError, did_you_mean
from mer_keras.models.specs import SPECS, ModelSpec

if TYPE_CHECKING:
    import keras

MODELS = {spec.name: spec for spec in SPECS}


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
    input_shape: Shape | None = None,
    classes: int | None = None,
    **arguments: object,
) -> "keras.Model":
    """Build an uncompiled network.

    Args:
        name: a key of ``MODELS``.
        input_shape: without the batch, of several inputs one shape each; the paper's if left out.
        classes: the paper's if left out.
        **arguments: readings and options of the builder, over those of the network's preset.

    Returns:
        A network: clips (batch, ...), of each input -> probabilities (batch, classes) float32.

    Raises:
        UserError: no such network.
        ConfigError: an argument that the builder does not have, or a shape or a value that the
            network can't be built with.
    """
    spec = get_spec(name)
    builder, _ = _builder(spec)
    shape = input_shape or spec.input_shape
    known_arguments = all_arguments(name, arguments)
    try:
        return builder(shape, classes or spec.classes, **known_arguments)
    except ValueError as error:
        values = "".join(f", {key}={value!r}" for key, value in arguments.items())
        raise ConfigError(
            f"network {name!r} can't be built for clips of shape {shape}{values}: {_reason(error)}"
        ) from error


def all_arguments(name: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """All named arguments of a network's builder, defaults and preset included.

    Raises:
        UserError: no such network.
        ConfigError: an argument that the builder does not have.
    """
    spec = get_spec(name)
    defaults = _builder(spec)[1]
    for key in arguments:
        if key not in defaults:
            raise ConfigError(
                f"network {name!r} has no argument {key!r}{did_you_mean(key, defaults)}; "
                f"known: {', '.join(defaults)}"
            )
    return {**defaults, **spec.preset, **arguments}


def reading_of(name: str, arguments: Mapping[str, object]) -> dict[str, object]:
    """Arguments that make another network than the default ones do, sorted by name.

    Two spellings of one network have the same reading.
    """
    spec = get_spec(name)
    defaults = {**_builder(spec)[1], **spec.preset}
    return {key: arguments[key] for key in sorted(arguments) if arguments[key] != defaults.get(key)}


def _reason(error: ValueError) -> str:
    """Return the first paragraph of Keras' message that says something, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    said = [part for part in paragraphs if part and not part.startswith("Exception encountered")]
    return (said[0] if said else type(error).__name__)[:400]


def _builder(spec: ModelSpec) -> "tuple[Callable[..., keras.Model], dict[str, object]]":
    """The builder of a network, and its named arguments with their defaults."""
    module, function = spec.builder.split(":")
    builder = getattr(import_module(module), function)
    parameters = inspect.signature(builder).parameters.values()
    return builder, {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
