"""What lies under each position of a strided kernel, side by side."""

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed


@keras.saving.register_keras_serializable(package="mer_keras")
class SpreadPatches(Free, PaperLayer):
    """The nine values under a 3x3 kernel that is spread and moved in steps.

    A 1x1 convolution of them is a convolution with that stride and that dilation, which Keras'
    layers refuse together and TensorFlow can't differentiate on a processor. Zeros, as many as the
    dilation, are put around the image.

    Shapes: (batch, height, width, channels) -> (batch, (height - 1) / strides + 1, the same of the
    width, 9 channels), rounded down; row of the kernel slowest, channel fastest.

    Source: the wide stem of RCN-W, C and F (Xia et al., IEEE Transactions on Image Processing
    2020): stride 3, dilations 1, 2 and 3.

    Args:
        strides: distance of the positions.
        dilation: distance of the kernel's values.

    Raises:
        ValueError: an argument is not above 0.
    """

    def __init__(self, strides: int = 3, dilation: int = 1, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, strides=strides, dilation=dilation)
        self.strides = strides
        self.dilation = dilation

    def call(self, images: Tensor) -> Tensor:
        """Lay shifted and thinned images side by side."""
        spread, step = self.dilation, self.strides
        _, height, width, _ = images.shape
        padded = ops.pad(images, [[0, 0], [spread, spread], [spread, spread], [0, 0]])
        views = [
            padded[:, row : row + height : step, column : column + width : step]
            for row in (0, spread, 2 * spread)
            for column in (0, spread, 2 * spread)
        ]
        return ops.concatenate(views, axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the patches."""
        batch, *sides, channels = input_shape
        height, width = ((fixed(side) - 1) // self.strides + 1 for side in sides)
        return batch, height, width, 9 * fixed(channels)
