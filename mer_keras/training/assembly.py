"""What is trained: a network, and in front of it augmentation and standardising."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.arrays import Array, Inputs, shape_of
from mer_keras.config.training import Augmentation, Train
from mer_keras.errors import ConfigError
from mer_keras.layers.tensors import Tensor

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Assembly:
    """A network and the model that is trained, which share the network's variables.

    Attributes:
        network: takes clips as they are after augmentation and standardising.
        model: takes clips by the names in ``clip_names`` and, where there is augmentation,
            ``is_copy``, (batch,) float32, 1 for a copy that oversampling made.
        clip_names: ``clip`` if the network has one input, else ``clip_0``, ``clip_1`` and so on.
    """

    network: "keras.Model"
    model: "keras.Model"
    clip_names: tuple[str, ...]

    def named(self, x: Inputs) -> dict[str, Array]:
        """Return the arrays of clips by the names of the model's inputs.

        Raises:
            ConfigError: clips differ in length, or the network has another number of inputs.
        """
        shape_of(x)  # It refuses clips of different lengths.
        clips = x if isinstance(x, tuple) else (x,)
        if len(clips) != len(self.clip_names):
            raise ConfigError(
                f"the network has {len(self.clip_names)} input(s), the clips were given as "
                f"{len(clips)}: name as many inputs in the row's 'input'"
            )
        return dict(zip(self.clip_names, clips, strict=True))  # type: ignore[arg-type]

    def standardise_by(self, x: Inputs) -> None:
        """Take the statistics of training clips, each once, input by input."""
        for name, clips in self.named(x).items():
            self.model.get_layer(_standardise_name(name)).set_from(clips)

    def standardised(self, x: Inputs) -> Inputs:
        """Return clips as the network itself sees them outside training."""
        return _as_given(
            [
                _to_numpy(self.model.get_layer(_standardise_name(name))(clips))
                for name, clips in self.named(x).items()
            ]
        )

    def changed(self, x: Inputs) -> Inputs:
        """Return clips as augmentation changes copies in training."""
        clips = list(self.named(x).values())
        joined = np.concatenate(clips, axis=-1)  # (clips, ..., channels of all inputs)
        apply = np.ones(len(joined), "float32")
        changed = self.model.get_layer("augmentation")(joined, apply=apply, training=True)
        return _as_given(np.split(_to_numpy(changed), _channel_bounds(clips), axis=-1))


def assemble(build: "Callable[[], keras.Model]", recipe: Train) -> Assembly:
    """Build a network, and the uncompiled model that is trained.

    Raises:
        ConfigError: augmentation is asked for, and the network's inputs differ in time or size.
    """
    import keras

    from mer_keras.training.recipe import initialise
    from mer_keras.training.standardise import StandardiseByTraining

    network = build()
    if recipe.precision != "float32":
        # Three digits are too few for probabilities and their logarithms.
        network.layers[-1].dtype_policy = "float32"
    if recipe.initializer is not None:
        initialise(network, recipe.initializer)
    shapes = [tuple(tensor.shape[1:]) for tensor in network.inputs]
    names = ["clip"] if len(shapes) == 1 else [f"clip_{index}" for index in range(len(shapes))]
    clips = [keras.Input(shape, name=name) for shape, name in zip(shapes, names, strict=True)]
    inputs = dict(zip(names, clips, strict=True))
    if recipe.augmentation is not None:
        inputs["is_copy"] = keras.Input((), name="is_copy")
        clips = _augmented(clips, inputs["is_copy"], recipe.augmentation)
    if recipe.standardise:
        clips = [
            StandardiseByTraining(name=_standardise_name(name))(clip)
            for name, clip in zip(names, clips, strict=True)
        ]
    probabilities = network(clips[0] if len(clips) == 1 else clips)
    return Assembly(network, keras.Model(inputs, probabilities, name="trained"), tuple(names))


def _augmented(clips: list[Tensor], is_copy: Tensor, setting: Augmentation) -> list[Tensor]:
    """Change clips with one draw for all inputs, which are joined along their channels."""
    from keras import ops

    from mer_keras.training.augmentation import ClipAugmentation

    shapes = [tuple(clip.shape[1:]) for clip in clips]
    if len({shape[:-1] for shape in shapes}) > 1:
        raise ConfigError(
            "train.augmentation: a random change is drawn once for all inputs of a network, so "
            f"they must have the same frames, height and width, found {shapes}: leave it out"
        )
    layer = ClipAugmentation(setting, name="augmentation")
    apply = is_copy if setting.applies_to == "copies" else None
    if len(clips) == 1:
        return [layer(clips[0], apply=apply)]
    joined = ops.concatenate(clips, axis=-1)  # (batch, ..., channels of all inputs)
    return list(ops.split(layer(joined, apply=apply), _channel_bounds(clips), axis=-1))


def _channel_bounds(clips: Sequence[Tensor]) -> list[int]:
    """Where joined channels are split again: the first channel of each input but the first."""
    return np.cumsum([clip.shape[-1] for clip in clips])[:-1].tolist()


def _standardise_name(clip_name: str) -> str:
    return clip_name.replace("clip", "standardise")


def _as_given(clips: Sequence[Array]) -> Inputs:
    return clips[0] if len(clips) == 1 else tuple(clips)


def _to_numpy(tensor: Tensor) -> Array:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(tensor), "float32")
