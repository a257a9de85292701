"""Four areas of a face, cut out of an image and put together to another."""

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, fixed

#: Edge of the image, of an area, and half of it.
IMAGE, AREA, HALF = 28, 14, 7
#: Row and column of the four centres; areas stand on the canvas in this order, row after row.
CENTRES = ((9, 11), (21, 10), (10, 21), (20, 21))


@keras.saving.register_keras_serializable(package="mer_keras")
class FaceAreas(Free, PaperLayer):
    """The four areas of 14x14 pixels around fixed points, as one image.

    The points are those that HTNet's code takes where no face is found, and CausalNet's for all
    clips. The code reads a landmark's x as a row and its y as a column. The areas therefore stand
    on the canvas as: left eye, left corner of the mouth above; right eye, right corner below; each
    upright, its centre up to two pixels off.

    Shapes: (batch, 28, 28, channels) -> the same.

    Source: the code of HTNet (Wang et al., Neurocomputing 2024). The paper's figure draws the eyes
    above and the mouth below.

    Raises:
        ValueError: images of another size.
    """

    def __init__(self, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)

    def build(self, input_shape: Shape) -> None:
        """Check the size.

        Raises:
            ValueError: it is another one.
        """
        height, width = (fixed(side) for side in input_shape[1:3])
        if (height, width) != (IMAGE, IMAGE):
            raise ValueError(
                f"areas of the face are known on images of {IMAGE}x{IMAGE}, not on "
                f"{height}x{width}: crops='none' reads images as they are"
            )

    def call(self, images: Tensor) -> Tensor:
        """Cut and join."""
        areas = [
            images[:, row - HALF : row + HALF, column - HALF : column + HALF]
            for row, column in CENTRES
        ]
        above = ops.concatenate(areas[:2], axis=2)  # (batch, 14, 28, channels)
        below = ops.concatenate(areas[2:], axis=2)
        return ops.concatenate([above, below], axis=1)
