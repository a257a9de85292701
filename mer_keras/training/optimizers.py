"""Optimisers of the papers, from a config: Adam, and two that Keras does not have.

Source of the warm-up: Ma and Yarats, On the adequacy of untuned warmup for adaptive optimization
(arXiv 1910.04209), which MERANet (section 4.3) names as its optimiser.
"""

from typing import Any, Literal

import keras
from keras import ops

from mer_keras.config.training import Optimizer
from mer_keras.layers.tensors import Tensor


@keras.saving.register_keras_serializable(package="mer_keras")
class CoupledSGD(keras.optimizers.SGD):
    """Gradient descent with momentum whose weight decay is part of the gradient.

    ``m <- momentum m - rate (g + decay w)``, ``w <- w + m``: Caffe's solver. (Keras' own
    ``weight_decay`` shrinks the weights beside the momentum: another trajectory.)

    Args:
        learning_rate: step size.
        momentum: share of the last step that is kept, 0..1.
        decay: factor of the weights in the gradient, 0 for none. All variables are decayed, biases
            and normalisation too, as Caffe does unless told otherwise.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        decay: float = 0.0,
        name: str = "coupled_sgd",
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(learning_rate, momentum, name=name, **kwargs)
        self.decay = decay

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Change one variable."""
        gradient = ops.cast(gradient, variable.dtype) + self.decay * variable
        super().update_step(gradient, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the optimiser."""
        return {**super().get_config(), "decay": self.decay}


@keras.saving.register_keras_serializable(package="mer_keras")
class OnePassAdam(keras.optimizers.Adam):
    """Adam that goes through the memory of a variable once where TensorFlow computes.

    Keras writes an update as a dozen operations, each of which reads and writes all values: for a
    hundred million parameters and a small batch that takes as long as the gradients do. The formula
    is the same, so that results differ by rounding alone.
    """

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Change one variable."""
        if keras.backend.backend() != "tensorflow" or self.amsgrad or variable.dtype != "float32":
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        if tf.distribute.has_strategy():  # Each device has a copy of the variable.
            super().update_step(gradient, variable, learning_rate)
            return
        number = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=ops.power(ops.cast(self.beta_1, "float32"), step),
            beta2_power=ops.power(ops.cast(self.beta_2, "float32"), step),
            lr=ops.cast(learning_rate, "float32"),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, "float32"),
        )


@keras.saving.register_keras_serializable(package="mer_keras")
class WarmAdam(OnePassAdam):
    """Adam whose first steps are damped by a factor that needs no tuning.

    At step t (from 1) the learning rate is multiplied by ``1 - exp(-(1 - beta_2) t)``
    (``exponential``) or by ``min(1, (1 - beta_2) t / 2)`` (``linear``).

    Args:
        learning_rate: step size after warm-up.
        warmup: which of the two factors.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        warmup: Literal["exponential", "linear"] = "linear",
        name: str = "warm_adam",
        **kwargs: Any,
    ) -> None:
        """See the class."""
        super().__init__(learning_rate, name=name, **kwargs)
        if warmup not in ("exponential", "linear"):
            raise ValueError(f"warmup is 'exponential' or 'linear', found {warmup!r}")
        self.warmup = warmup

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Change one variable."""
        pace = (1 - self.beta_2) * ops.cast(self.iterations + 1, variable.dtype)
        factor = ops.minimum(1.0, pace / 2) if self.warmup == "linear" else 1 - ops.exp(-pace)
        rate = ops.cast(learning_rate, variable.dtype) * factor
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the optimiser."""
        return {**super().get_config(), "warmup": self.warmup}


def make_optimizer(setting: Optimizer) -> keras.Optimizer:
    """Return the optimiser that a config asks for."""
    if setting.name == "sgd":
        return CoupledSGD(setting.learning_rate, setting.momentum, setting.weight_decay)
    if setting.warmup != "none":
        return WarmAdam(setting.learning_rate, setting.warmup)
    return make_adam(setting.learning_rate)


def make_adam(learning_rate: float) -> keras.optimizers.Adam:
    """Return the fastest Adam of this backend; with PyTorch, Keras has one of its own."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return (OnePassAdam if on_tensorflow else keras.optimizers.Adam)(learning_rate)
