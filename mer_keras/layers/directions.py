"""CausalNet's image of directions, computed from a flow image."""

import keras
import numpy as np
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Tensor

#: OpenCV's approximation of the arc tangent in degrees, by odd powers of a ratio from 0 to 1. It is
#: up to 0.01 degrees off, which decides some pixels.
_ARC_TANGENT = tuple(
    float(np.float32(factor * 180 / np.pi))
    for factor in (
        0.9997878412794807,
        -0.3258083974640975,
        0.1555786518463281,
        -0.04432655554792128,
    )
)
#: OpenCV's green of the hues 0 to 30, whose red is 255, and red of the hues 30 to 45, whose green
#: is; a hue is two degrees.
# fmt: off
_GREENS = (
    0, 9, 17, 26, 34, 43, 51, 60, 68, 76, 85, 94, 102, 111, 119, 128, 136, 145, 153, 162, 170, 179,
    187, 196, 204, 213, 221, 230, 238, 247, 255,
)
_REDS = (255, 246, 238, 230, 221, 212, 204, 196, 187, 178, 170, 161, 153, 144, 136, 127)
# fmt: on
_COLOURS = np.array(
    [(255, green, 0) for green in _GREENS] + [(red, 255, 0) for red in _REDS[1:]], "float32"
)


@keras.saving.register_keras_serializable(package="mer_keras")
class DirectionImage(Free, PaperLayer):
    """Colour of the angle between v and u, as the authors' images have it in every pixel.

    The angle atan2(v, u) in degrees, halved and rounded down, is a hue, 0 to 45, whose colour runs
    from red over yellow to green. It is taken of the stored bytes of a flow image, each channel of
    which was scaled to 0..255. Neither is below 0, so that the sign of the motion is gone, and what
    doesn't move lies near 45 degrees: the image says nothing that the flow image doesn't.

    Shapes: (batch, height, width, 3) of (u, v, strain), 0..255 -> the same of (red, green, 0),
    0..255. No gradient passes through it.

    Source: CausalNet (Zhang et al., ICCV 2025), the authors' images.
    """

    def __init__(self, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)

    def call(self, images: Tensor) -> Tensor:
        """Colour the angles."""
        precise = ops.cast(images, "float32")
        u, v = precise[..., 0], precise[..., 1]  # (batch, height, width)
        ratio = ops.minimum(u, v) / (ops.maximum(u, v) + np.float32(np.finfo("float64").eps))
        square = ops.square(ratio)
        first, third, fifth, seventh = _ARC_TANGENT
        angle = (((seventh * square + fifth) * square + third) * square + first) * ratio
        angle = ops.where(u >= v, angle, 90 - angle)
        hue = ops.cast(ops.floor(angle / 2), "int32")
        colours = ops.take(ops.convert_to_tensor(_COLOURS), ops.clip(hue, 0, 45), axis=0)
        return ops.cast(colours, images.dtype)
