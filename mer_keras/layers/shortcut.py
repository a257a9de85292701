"""A shortcut without weights for residual blocks that change the size."""

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Tensor, check_positive


@keras.saving.register_keras_serializable(package="mer_keras")
class ZeroPaddedShortcut(Free, PaperLayer):
    """Every second place on each axis, and channels of zeros behind the given ones.

    Shapes: (batch, time, height, width, channels) -> (batch, time / 2, height / 2, width / 2,
    filters), rounded up.

    Source: MERANet, section 3.4 ("identity connections and zero padding"); He et al., "Deep
    residual learning", CVPR 2016, option A.

    Args:
        filters: number of output channels.

    Raises:
        ValueError: ``filters`` is not above 0.
    """

    def __init__(self, filters: int, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, filters=filters)
        self.filters = filters

    def call(self, clips: Tensor) -> Tensor:
        """Thin out and pad as the class says."""
        thinned = clips[:, ::2, ::2, ::2]  # (batch, time / 2, height / 2, width / 2, channels)
        return ops.pad(thinned, [[0, 0]] * 4 + [[0, self.filters - clips.shape[-1]]])
