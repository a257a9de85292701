"""What is trained: a network, and in front of it augmentation and standardising."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.arrays import Array, Inputs, shape_of
from mer_keras.config.training import Augmentation, Train
from mer_keras.errors import ConfigError, InvariantError
from mer_keras.flow_channels import FlowForm, Mirroring
from mer_keras.layers.tensors import Tensor

if TYPE_CHECKING:
    import keras


#: Keys of random changes in a config, each with an amount (see ``training.augmentation``).
AMOUNTS = tuple(
    name
    for name in Augmentation.model_fields
    if name not in ("applies_to", "pixel_probability", "probability")
)


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

    @property
    def learned_variables(self) -> "dict[str, keras.Variable]":
        """All that training changes, by path: the network's weights, and statistics of clips.

        Raises:
            InvariantError: two weights have one path, so that no file could tell them apart.
        """
        variables = list(self.network.weights)
        for name in self.clip_names:
            layers = [layer for layer in self.model.layers if layer.name == _standardise_name(name)]
            variables += [variable for layer in layers for variable in layer.weights]
        by_path = {variable.path: variable for variable in variables}
        if len(by_path) < len(variables):
            raise InvariantError(
                f"network {self.network.name!r} has two weights of one path: give each of its "
                "layers a name of its own"
            )
        return by_path

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


def assemble(
    build: "Callable[[], keras.Model]", recipe: Train, flow: Sequence[FlowForm | None] = ()
) -> Assembly:
    """Build a network, and the uncompiled model that is trained.

    Args:
        build: returns the network.
        recipe: says what stands in front of it.
        flow: what the channels of each input are, None for pictures; empty: all are pictures.

    Raises:
        ConfigError: augmentation is asked for, and the network's inputs differ in time or size, or
            one is flow and can't be changed so; or the network reads directions off flow whose
            values are no bytes.
    """
    import keras

    from mer_keras.training.recipe import initialise, set_momentum
    from mer_keras.training.standardise import StandardiseByTraining

    network = build()
    _check_directions(network, recipe, flow)
    if recipe.precision != "float32":
        # Three digits are too few for probabilities and their logarithms.
        network.layers[-1].dtype_policy = "float32"
    if recipe.initializer is not None:
        initialise(network, recipe.initializer)
    if recipe.batch_norm_momentum is not None:
        set_momentum(network, recipe.batch_norm_momentum)
    shapes = [tuple(tensor.shape[1:]) for tensor in network.inputs]
    names = ["clip"] if len(shapes) == 1 else [f"clip_{index}" for index in range(len(shapes))]
    clips = [keras.Input(shape, name=name) for shape, name in zip(shapes, names, strict=True)]
    inputs = dict(zip(names, clips, strict=True))
    if recipe.augmentation is not None:
        inputs["is_copy"] = keras.Input((), name="is_copy")
        clips = _augmented(clips, inputs["is_copy"], recipe.augmentation, flow)
    if recipe.standardise:
        clips = [
            # What is left of a frame is a few per cent of it: half precision would lose much.
            StandardiseByTraining(name=_standardise_name(name), dtype="float32")(clip)
            for name, clip in zip(names, clips, strict=True)
        ]
    probabilities = network(clips[0] if len(clips) == 1 else clips)
    return Assembly(network, keras.Model(inputs, probabilities, name="trained"), tuple(names))


def _check_directions(
    network: "keras.Model", recipe: Train, flow: Sequence[FlowForm | None]
) -> None:
    """Refuse flow of which ``DirectionImage`` would colour other angles than those of its bytes.

    Raises:
        ConfigError: the flow has signs, or its bytes were or would be scaled.
    """
    from mer_keras.layers.directions import DirectionImage

    if not any(isinstance(layer, DirectionImage) for layer in network.layers):
        return
    signs = {sign for form in flow if form is not None for sign in form.mirroring}
    if signs & {"negate", "range", "unknown"} or recipe.standardise:
        raise ConfigError(
            f"{network.name} computes images of directions from the bytes, 0..255, of a flow "
            "image: give the row an input of kind: flow_image, without 'normalise', and leave out "
            "train.standardise"
        )


def check_changes(setting: Augmentation | None, flow: Sequence[FlowForm | None]) -> None:
    """Check that clips can be changed as a recipe says.

    Args:
        setting: the random changes of training clips; None: there are none.
        flow: what the channels of each input are, None for pictures.

    Raises:
        ConfigError: an input is flow, and the changes are for pictures: brightness and noise have
            no meaning for displacements, and turning or cutting a picture turns or scales them.
    """
    forms = [form for form in flow if form is not None]
    if setting is None or not forms:
        return
    others = [name for name in AMOUNTS if name != "flip" and getattr(setting, name)]
    if others:
        raise ConfigError(
            f"train.augmentation: {', '.join(others)} can't be done to optical flow "
            f"({', '.join(forms[0].channels)}): leave it out, or give the row an input of frames"
        )
    if setting.flip and any("unknown" in form.mirroring for form in forms):
        raise ConfigError(
            "train.augmentation: flip: it can't be told what a mirrored face would make of an "
            f"input's channels ({', '.join(forms[0].channels)}), since nobody says it or "
            "'normalise' hides it: leave one of them out"
        )


def _augmented(
    clips: list[Tensor],
    is_copy: Tensor,
    setting: Augmentation,
    flow: Sequence[FlowForm | None],
) -> list[Tensor]:
    """Change clips with one draw for all inputs, which are joined along their channels."""
    from keras import ops

    from mer_keras.training.augmentation import ClipAugmentation

    shapes = [tuple(clip.shape[1:]) for clip in clips]
    if len({shape[:-1] for shape in shapes}) > 1:
        raise ConfigError(
            "train.augmentation: a random change is drawn once for all inputs of a network, so "
            f"they must have the same frames, height and width, found {shapes}: leave it out"
        )
    check_changes(setting, flow)
    layer = ClipAugmentation(setting, mirroring=_mirroring(clips, flow), name="augmentation")
    apply = is_copy if setting.applies_to == "copies" else None
    if len(clips) == 1:
        return [layer(clips[0], apply=apply)]
    joined = ops.concatenate(clips, axis=-1)  # (batch, ..., channels of all inputs)
    return list(ops.split(layer(joined, apply=apply), _channel_bounds(clips), axis=-1))


def _mirroring(clips: Sequence[Tensor], flow: Sequence[FlowForm | None]) -> list[Mirroring]:
    """What a flip does to each channel of the joined inputs; empty where all are pictures."""
    if not any(flow):
        return []
    of_inputs: list[Sequence[Mirroring]] = [
        ("keep",) * clip.shape[-1] if form is None else form.mirroring
        for clip, form in zip(clips, flow, strict=True)
    ]
    return [how for of_input in of_inputs for how in of_input]


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
