"""Small clips of three classes, folds of them, and one method of every kind."""

from functools import partial

import keras
import numpy as np

from mer_keras.arrays import Inputs
from mer_keras.config.method import Chance, Classical
from mer_keras.config.training import Train
from mer_keras.methods.chance import ChanceMethod
from mer_keras.methods.classical import ClassicalMethod
from mer_keras.methods.contract import Method
from mer_keras.methods.network import NetworkMethod
from mer_keras.methods.shuffled import ShuffledLabels
from mer_keras.training.fold import FoldRows

#: One more than the clips have: no clip of the last class exists.
CLASSES = 4
SHAPE = (2, 6, 5, 1)


def clips(count=24, seed=0):
    """Clips, (count, 2, 6, 5, 1) float32, whose class shows in the rows that are bright."""
    rng = np.random.default_rng(seed)
    y = (np.arange(count) % 3).astype("int32")
    x = rng.random((count, *SHAPE)).astype("float32")
    for label in range(3):
        x[y == label, :, 2 * label : 2 * label + 2] += 1
    return x, y


def folds(count=24, parts=3):
    """Folds that test each clip once, and hold the next part back for validation."""
    part = np.arange(count) * parts // count
    return [
        FoldRows(
            train=np.flatnonzero((part != tested) & (part != (tested + 1) % parts)),
            val=np.flatnonzero(part == (tested + 1) % parts),
            test=np.flatnonzero(part == tested),
            name=f"fold{tested}",
        )
        for tested in range(parts)
    ]


def build(inputs=1):
    """A network of one or several inputs, with dropout so that seeds matter."""
    tensors = [keras.Input(SHAPE, name=f"input_{number}") for number in range(inputs)]
    flat = [keras.layers.Flatten(name=f"flatten_{n}")(t) for n, t in enumerate(tensors)]
    x = flat[0] if inputs == 1 else keras.layers.Concatenate(name="streams")(flat)
    x = keras.layers.Dense(6, activation="tanh", name="hidden")(x)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    x = keras.layers.Dense(CLASSES, activation="softmax", name="classes")(x)
    return keras.Model(tensors if inputs > 1 else tensors[0], x)


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.02}, "epochs": 3, "batch_size": 8}
    return Train.model_validate(base | changes)


def svm(**changes):
    config = {"classifier": "linear_svm", "classifier_arguments": {"C": 0.01}}
    return ClassicalMethod(Classical.model_validate(config | changes), CLASSES)


def network(inputs=1, **changes):
    return NetworkMethod(partial(build, inputs), recipe(engine="sequential", **changes))


KINDS = {
    "most_frequent": lambda: ChanceMethod(Chance(strategy="most_frequent"), CLASSES),
    "stratified": lambda: ChanceMethod(Chance(strategy="stratified"), CLASSES),
    "classical": svm,
    "classical with choices": lambda: svm(choices={"C": [1e-6, 0.01]}),
    "shuffled classical": lambda: ShuffledLabels(svm()),
    "network": network,
    "network without fit": lambda: NetworkMethod(build, recipe(engine="vectorised")),
    "network of two inputs": lambda: network(2),
    "shuffled network": lambda: ShuffledLabels(network()),
}
NETWORKS = [name for name in KINDS if "network" in name]
#: Kinds that look at clips, and so fail where these are not numbers.
LOOKING = [name for name in KINDS if name not in ("most_frequent", "stratified")]


def new(kind) -> Method:
    """A method of a kind, not yet fitted."""
    return KINDS[kind]()


def inputs_for(kind, x) -> Inputs:
    """Clips as a kind takes them: the second input is the first one upside down."""
    return (x, x[:, :, ::-1].copy()) if kind == "network of two inputs" else x
