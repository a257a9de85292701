"""Gradients that are written out and can't be differentiated again."""

from collections.abc import Sequence

from keras import ops

from mer_keras.layers.tensors import Tensor


def first_order_only(gradients: Sequence[Tensor], layer: str) -> list[Tensor]:
    """Return gradients whose own gradient raises an error, instead of being wrong unnoticed.

    A gradient that is written out for TensorFlow takes the statistics of a batch for constants,
    which they are not for a second derivative.

    Args:
        gradients: what a written-out gradient returns, of any shapes.
        layer: class of the layer, for the message.

    Raises:
        NotImplementedError: when somebody differentiates them.
    """

    @ops.custom_gradient
    def unchanged(*tensors: Tensor) -> tuple[list[Tensor], object]:
        def gradient(*_: Tensor, upstream: Tensor | None = None) -> Tensor:
            raise NotImplementedError(
                f"{layer} has no second derivative: build the network of plain layers "
                "(MER_LAYERS=plain)"
            )

        return list(tensors), gradient

    return list(unchanged(*gradients))
