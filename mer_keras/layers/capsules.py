"""Capsules: vectors whose direction says what there is, and whose length how surely."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from mer_keras.layers.base import Free, PaperLayer
from mer_keras.layers.tensors import Shape, Tensor, check_positive, fixed

#: Least squared length whose root is taken, so that its gradient is a number.
_LEAST = 1e-30
#: Added to lengths that are divided by.
_EPSILON = 1e-8


def squash(vectors: Tensor) -> Tensor:
    """Shorten vectors, (..., width), to lengths below 1: s |s|^2 / (1 + |s|^2) / (|s| + 1e-8).

    It is computed in float32 or more: in half precision both bounds would be zero.
    """
    precise = ops.cast(vectors, keras.backend.result_type(vectors.dtype, "float32"))
    square = ops.sum(ops.square(precise), axis=-1, keepdims=True)
    length = ops.sqrt(ops.maximum(square, _LEAST))
    return ops.cast(precise * (square / (1 + square) / (length + _EPSILON)), vectors.dtype)


class ClassCapsuleLayer(PaperLayer):
    """A layer of class capsules: it computes in float32 where the network has half precision.

    A capsule is a product of squashed values. A short one is below what float16 can hold, and its
    length's logarithm decides on a class.
    """

    def __init__(self, **kwargs: Any) -> None:
        """See the class."""
        if kwargs.get("dtype") is None:
            compute = keras.config.dtype_policy().compute_dtype
            kwargs["dtype"] = keras.backend.result_type(compute, "float32")
        super().__init__(**kwargs)


@keras.saving.register_keras_serializable(package="mer_keras")
class PrimaryCapsules(Free, PaperLayer):
    """Maps cut into vectors of neighbouring channels, which are squashed.

    Shapes: (batch, height, width, channels) -> (batch, height * width * channels / size, size).

    Source: CapsuleNet (Van Quang et al., FG 2019), after Sabour et al., "Dynamic routing between
    capsules", NIPS 2017, equation 1.

    Args:
        size: channels of a capsule.

    Raises:
        ValueError: ``size`` is not above 0, or the channels aren't a multiple of it.
    """

    def __init__(self, size: int = 8, **kwargs: object) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, size=size)
        self.size = size

    def build(self, input_shape: Shape) -> None:
        """Check the channels."""
        channels = fixed(input_shape[-1])
        if channels % self.size:
            raise ValueError(
                f"{self.name}: {channels} channels: expected a multiple of size, {self.size}"
            )

    def call(self, maps: Tensor) -> Tensor:
        """Cut and squash."""
        _, height, width, channels = maps.shape
        count = height * width * channels // self.size
        return squash(ops.reshape(maps, (-1, count, self.size)))


@keras.saving.register_keras_serializable(package="mer_keras")
class ClassCapsules(ClassCapsuleLayer):
    """One capsule a class, from all primary ones by routing.

    Each primary capsule makes a prediction for each class by a matrix of its own. Their weighted
    sum is squashed; weights are a softmax of what predictions and result have in common so far,
    over the classes or over the primary capsules. Only the last round has a gradient.

    Shapes: (batch, capsules, size) -> (batch, classes, width).

    Source: CapsuleNet (Van Quang et al., FG 2019), the authors' code, after Sabour et al., NIPS
    2017, procedure 1. Matrices start normally distributed with a deviation of 0.01.

    Args:
        classes: number of classes.
        width: values of a class's capsule.
        rounds: of routing.
        coupling: ``classes``: weights of a primary capsule sum to 1 over the classes; ``capsules``:
            those of a class sum to 1 over the primary capsules, as in ICE-GAN's code (Yu et al.,
            arXiv 2020).

    Raises:
        ValueError: a number is not above 0, or ``coupling`` is something else.
    """

    def __init__(
        self,
        classes: int,
        width: int = 16,
        rounds: int = 3,
        coupling: Literal["classes", "capsules"] = "classes",
        **kwargs: object,
    ) -> None:
        """See the class."""
        super().__init__(**kwargs)
        check_positive(self, classes=classes, width=width, rounds=rounds)
        self.classes = classes
        self.width = width
        self.rounds = rounds
        if coupling not in ("classes", "capsules"):
            raise ValueError(f"coupling is {coupling!r}, expected 'classes' or 'capsules'")
        self.coupling = coupling

    def build(self, input_shape: Shape) -> None:
        """Create the matrices, (classes, capsules, width, size)."""
        _, capsules, size = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.classes, fixed(capsules), self.width, fixed(size)),
            initializer=keras.initializers.RandomNormal(stddev=0.01),
        )

    def call(self, capsules: Tensor) -> Tensor:
        """Predict and route."""
        # (batch, classes, capsules, width)
        predictions = ops.einsum("cnwi,bni->bcnw", self.kernel, capsules)
        still = ops.stop_gradient(predictions)
        agreement = ops.zeros_like(still[..., :1])  # (batch, classes, capsules, 1)
        for _ in range(self.rounds - 1):
            result = self._routed(still, agreement)
            agreement = agreement + ops.sum(still * result[:, :, None], axis=-1, keepdims=True)
        return self._routed(predictions, agreement)

    def _routed(self, predictions: Tensor, agreement: Tensor) -> Tensor:
        """Capsules of the classes, (batch, classes, width)."""
        axis = 1 if self.coupling == "classes" else 2
        return squash(ops.sum(ops.softmax(agreement, axis=axis) * predictions, axis=2))

    def multiply_accumulates(self, input_shapes: Sequence[tuple[int, ...]]) -> int:
        """Multiplications with additions for one clip: of predictions, and of each round."""
        _, capsules, size = input_shapes[0]
        predictions = self.classes * capsules * self.width
        return predictions * (size + 2 * self.rounds - 1)


@keras.saving.register_keras_serializable(package="mer_keras")
class LogLengths(Free, ClassCapsuleLayer):
    """Logarithm of each vector's length; a softmax of it gives each length's share of their sum.

    Shapes: (batch, classes, width) -> (batch, classes).

    Source: CapsuleNet scores classes by their capsules' lengths; that these are divided by their
    sum is this suite's, whose networks give probabilities.
    """

    def call(self, vectors: Tensor) -> Tensor:
        """Take the logarithms."""
        square = ops.sum(ops.square(vectors), axis=-1)  # (batch, classes)
        return 0.5 * ops.log(ops.maximum(square, _LEAST))
