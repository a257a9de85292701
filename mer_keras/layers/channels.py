"""Channels of an image, taken out under a name."""

import keras

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Shape, Tensor


@keras.saving.register_keras_serializable(package="mer_keras")
class ChannelRange(Free, PaperLayer):
    """The channels from ``start`` up to ``stop``, which is left out.

    Shapes: (batch, ..., channels) -> (batch, ..., stop - start).

    Source: OFF-ApexNet and Dual-Inception read horizontal and vertical flow, channels 0 and 1 of
    (u, v, strain), in a stream each.

    Args:
        start: the first channel.
        stop: the one behind the last.

    Raises:
        ValueError: the range is empty, or begins before the first channel or ends behind the last.
    """

    def __init__(self, start: int, stop: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        if not 0 <= start < stop:
            raise ValueError(f"{type(self).__name__}: channels {start} up to {stop} are none")
        self.start = start
        self.stop = stop

    def build(self, input_shape: Shape) -> None:
        """Check that there are so many channels.

        Raises:
            ValueError: there are fewer.
        """
        if input_shape[-1] is None or self.stop > input_shape[-1]:
            raise ValueError(
                f"an image of {input_shape[-1]} channels has no channels {self.start} up to "
                f"{self.stop}: it takes optical flow (u, v, strain)"
            )

    def call(self, images: Tensor) -> Tensor:
        """Take the channels."""
        return images[..., self.start : self.stop]
