"""A recipe in Keras' terms: compiling, initial weights, learning rates."""

import math
from typing import TYPE_CHECKING

import numpy as np

from mer_keras.config.training import Train
from mer_keras.errors import UserError

if TYPE_CHECKING:
    import keras


def compile_model(
    model: "keras.Model", optimizer: "keras.Optimizer", jit_compile: bool | None = None
) -> None:
    """Compile a classifier and make all its variables.

    Metrics that are made only while a graph is traced have it traced a second time, which takes
    as long again; so they are made here.

    Args:
        model: takes clips, gives class probabilities (batch, classes).
        optimizer: new.
        jit_compile: compile steps with XLA; None: on JAX. Keras has none of it on TensorFlow while
            kernels are deterministic, as they always are here; the layers compile their own
            elementwise parts (see ``layers.fused``).

    Raises:
        UserError: XLA was asked for on TensorFlow.
    """
    import keras

    if jit_compile is None:
        jit_compile = keras.backend.backend() == "jax"
    elif jit_compile and keras.backend.backend() == "tensorflow":
        raise UserError(
            "train.jit_compile=true: Keras compiles no steps with XLA while TensorFlow's kernels "
            "are deterministic: leave it out, or KERAS_BACKEND=jax"
        )
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=jit_compile,
    )
    # In mixed_float16 Keras wraps the optimiser into one that scales the loss, with its own state.
    model.optimizer.build(model.trainable_variables)
    probabilities, label = np.ones((1, model.output_shape[-1]), "float32"), np.zeros(1, "int32")
    model.compute_loss(y=label, y_pred=probabilities)
    model.compute_metrics(None, label, probabilities)
    model.reset_metrics()


def initialise(network: "keras.Model", name: str) -> None:
    """Draw all convolution and dense kernels anew from one of Keras' initialisers."""
    import keras

    for variable in network.trainable_weights:
        if variable.path.rsplit("/", 1)[-1] in ("kernel", "recurrent_kernel"):
            variable.assign(keras.initializers.get(name)(variable.shape))


def set_momentum(network: "keras.Model", momentum: float) -> None:
    """Set the momentum of the moving statistics of all layers that have such."""
    for layer in network._flatten_layers():
        if hasattr(layer, "momentum"):
            layer.momentum = momentum


def learning_rate_at(recipe: Train, epoch: int) -> float:
    """The learning rate of an epoch (from 0) by the recipe's schedule, without plateaus."""
    start = recipe.optimizer.learning_rate
    if recipe.step_decay is not None:
        return float(start * recipe.step_decay.factor ** (epoch // recipe.step_decay.every))
    if recipe.cosine is not None:
        final = recipe.cosine.final_learning_rate
        return final + (start - final) * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
    return start
