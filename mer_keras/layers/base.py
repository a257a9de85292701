"""What the papers' layers share: how Keras stores them, masks, and which multiply nothing."""

import inspect
from collections.abc import Sequence

import keras

from mer_keras.layers.tensors import Tensor


class Unmasked:
    """Part of a layer's class that says that it reads all values, masked ones too.

    Keras would drop a mask with a warning, and what is masked would count.
    """

    name: str

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> None:
        """Refuse a mask.

        Raises:
            ValueError: an input has one.
        """
        if any(mask is not None for mask in keras.tree.flatten(previous_mask)):
            raise ValueError(
                f"{type(self).__qualname__} {self.name!r} takes no mask: it would read masked "
                "values like all others"
            )


class PaperLayer(Unmasked, keras.layers.Layer):
    """A layer with arguments of its own, each kept as the attribute of the same name."""

    def get_config(self) -> dict[str, object]:
        """Arguments of the layer, with those that were left at their defaults."""
        _, *arguments = inspect.signature(type(self).__init__).parameters.values()
        own = [argument.name for argument in arguments if argument.kind is not argument.VAR_KEYWORD]
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


class Free:
    """Part of a layer's class that says that it only moves, adds or averages values."""

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Nothing is multiplied."""
        return 0
