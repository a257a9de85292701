"""Which of the two engines trains a row's folds: ``Trainer`` or ``AllFolds``."""

from typing import TYPE_CHECKING

from mer_keras.errors import UserError
from mer_keras.training.trainer import Trainer

if TYPE_CHECKING:
    import keras

#: Multiply-accumulates of a clip up to which a network trains faster without ``fit``.
SMALL = 5_000_000
#: Device memory that the maps of one stack may take, in bytes.
STACK_BYTES = 4 << 30


def folds_at_once(trainer: Trainer) -> int:
    """Return how many folds are trained together without ``fit``; 0: each by ``fit``.

    On TensorFlow it is one, unless the recipe says otherwise: on a CPU folds in turn were measured
    to be as fast as a stack of them, and each is stored as soon as it is done. On JAX, which
    compiles the whole step, it is as many as fit into ``STACK_BYTES``.

    Raises:
        UserError: the recipe asks for ``vectorised`` where that can't be.
    """
    import keras

    recipe = trainer.recipe
    if recipe.engine == "sequential":
        return 0
    cost = trainer.multiply_accumulates
    if recipe.engine == "auto" and (cost is None or cost > SMALL):
        return 0
    obstacle = _obstacle(trainer)  # It calls the network, which a large one is spared.
    if obstacle and recipe.engine == "vectorised":
        raise UserError(f"train.engine=vectorised: {obstacle}: --set train.engine=sequential")
    if obstacle:
        return 0
    if recipe.folds_at_once is not None:
        return recipe.folds_at_once
    if keras.backend.backend() == "tensorflow" or not cost:
        return 1
    # A value of a map takes nine multiply-accumulates or more, and is kept about four times.
    bytes_each = recipe.batch_size * cost / 9 * 4 * 4
    return max(1, int(STACK_BYTES / bytes_each))


def _obstacle(trainer: Trainer) -> str:
    """Why a network can't be trained without ``fit``, or nothing."""
    import keras

    if keras.backend.backend() not in ("tensorflow", "jax"):
        return f"the backend {keras.backend.backend()} has no stacks"
    inputs = len(trainer.network.inputs)
    if inputs > 1:
        return f"the network has {inputs} inputs"
    if trainer.recipe.precision == "mixed_float16":
        return "mixed_float16 needs a loss that is scaled"
    if trainer.recipe.data_parallel:
        return "folds are divided among devices, not batches (data_parallel)"
    if trainer.recipe.plateau is not None:
        return "a plateau gives each fold a learning rate of its own"
    for layer in trainer.network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            return (
                f"layer {layer.name} would take statistics over rows that fill up a batch where "
                "folds are trained together"
            )
    return _extra_aim(trainer.network)


def _extra_aim(network: "keras.Model") -> str:
    """What ``fit`` would train for beside the loss of the recipe, or nothing."""
    from keras import ops

    for variable in network.trainable_variables:
        if variable.constraint is not None:
            return f"variable {variable.path} has a constraint"
    _, *sides = network.inputs[0].shape
    if None in sides:
        return "a side of the input has no fixed length"
    # What layers add to the loss is known after a call, which changes no state here.
    *_, losses = network.stateless_call(
        [variable.value for variable in network.trainable_variables],
        [variable.value for variable in network.non_trainable_variables],
        ops.zeros((1, *sides)),
        training=True,
        return_losses=True,
    )
    return "layers add losses of their own (a regulariser, or add_loss)" if losses else ""
