"""What networks of the authors' code say of known inputs with known weights, and their gradients.

The files in ``oracles/`` hold outputs of the public PyTorch code of each network in float64, the
shapes of its tensors, and the rule by which tensors and inputs are made, so that neither needs to
be stored.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

FOLDER = Path(__file__).with_name("oracles")


@dataclass(frozen=True)
class Oracle:
    """Facts of one network."""

    facts: dict

    @classmethod
    def read(cls, name):
        return cls(json.loads((FOLDER / f"{name}.json").read_text()))

    def __getattr__(self, key):
        return self.facts[key]

    @property
    def labels(self):
        return np.array(self.facts["labels"], "int32")

    def inputs(self):
        """x[n, j] = S (0.5 + 0.5 sin((0.05 + 0.03 n) j + 0.3)), channels last."""
        shape, scale = self.facts["input"]["shape"], self.facts["input"]["scale"]
        sample = np.arange(shape[0], dtype="float64")[:, None]
        place = np.arange(np.prod(shape[1:]), dtype="float64")
        values = scale * (0.5 + 0.5 * np.sin((0.05 + 0.03 * sample) * place + 0.3))
        return np.moveaxis(values.reshape(shape), -3, -1)

    def tensors(self):
        """Yield name and array: s sin(0.37 k + 0.11 t), or a constant where there is no s."""
        for number, (name, shape, size, constant) in enumerate(self.facts["tensors"]):
            place = np.arange(np.prod(shape), dtype="float64")
            wave = np.full(place.shape, float(constant))
            if size is not None:
                wave = size * np.sin(0.37 * place + 0.11 * number)
            yield name, wave.reshape(shape)


def keras_form(array, unflatten=None):
    """A tensor of PyTorch as Keras has it.

    ``unflatten`` is (streams, channels, height, width) of what a dense layer's matrix reads.
    """
    if array.ndim == 4 and array.shape[0] == 1 and array.shape[2:] == (1, 1):
        return array.reshape(-1)  # normalisation of channels
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if array.ndim == 2 and unflatten:
        maps = array.reshape(len(array), *unflatten)
        return maps.transpose(1, 3, 4, 2, 0).reshape(-1, len(array))
    return array.T if array.ndim == 2 else array


def load(network, oracle, path_of, unflatten=None):
    """Give a network the oracle's weights.

    ``path_of(name)`` is the path of our variable, or None where nothing reads the tensor;
    ``unflatten`` has the maps that dense kernels read, by the kernels' paths.
    """
    variables = {variable.path: variable for variable in network.weights}
    for name, array in oracle.tensors():
        path = path_of(name)
        if path is None:
            continue
        variable = variables.pop(path)
        values = keras_form(array, (unflatten or {}).get(path))
        variable.assign(values.reshape(variable.shape))
    left = [path for path in variables if not re.search("moving_|idle|seed", path)]
    assert not left, f"no tensor for {left}"


def scores_of(probabilities):
    """Log-probabilities: scores up to a constant, which a softmax takes away."""
    return np.log(np.asarray(ops.convert_to_numpy(probabilities), "float64"))


def centred(scores):
    scores = np.asarray(scores, "float64")
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def loss_and_gradients(network, inputs, labels):
    """Mean cross-entropy in training, and the norm of the gradient in each trained variable."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        probabilities = network(inputs, training=True)
        loss = ops.mean(keras.losses.sparse_categorical_crossentropy(labels, probabilities))
    weights = network.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    norms = {
        weight.path: 0.0 if gradient is None else float(np.linalg.norm(np.float64(gradient)))
        for weight, gradient in zip(weights, gradients, strict=True)
    }
    return float(loss), norms, scores_of(probabilities)


@contextmanager
def double_precision():
    """Networks are built within of layers of float64, in which the oracles were computed."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def check_scores(network, oracle, inputs=None, tolerance=2e-6):
    """Compare scores in float32."""
    inputs = oracle.inputs() if inputs is None else inputs
    scores = scores_of(network(inputs, training=False))
    np.testing.assert_allclose(scores, centred(oracle.logits), rtol=0, atol=tolerance)


def check_training(network, oracle, inputs=None, tolerance=1e-8):
    """Compare a network of float64: scores, and, trained, scores, loss and the gradient's norm."""
    inputs = oracle.inputs() if inputs is None else inputs
    check_scores(network, oracle, inputs, tolerance)
    loss, norms, scores = loss_and_gradients(network, inputs, oracle.labels)
    np.testing.assert_allclose(scores, centred(oracle.training_logits), rtol=0, atol=tolerance)
    assert abs(loss - oracle.loss) < tolerance
    norm = np.linalg.norm(list(norms.values()))
    assert abs(norm / oracle.gradient_norm - 1) < tolerance
    return norms


def check_both_formats(build, oracle, inputs=None, tolerance=2e-6):
    """Compare the network that ``build`` gives in float32, then trained in float64.

    Returns that of float64 and the norms of its gradients.
    """
    check_scores(build(), oracle, inputs, tolerance)
    with double_precision():
        network = build()
    return network, check_training(network, oracle, inputs)


def check_moving(network, oracle, path_of):
    """Compare means of the moving statistics after one forward pass in training."""
    moving = {v.path: float(np.mean(v)) for v in network.weights if "moving" in v.path}
    for tensor, mean in oracle.moving_means.items():
        unit, statistic = tensor.rsplit(".", 1)
        statistic = "moving_mean" if statistic == "moving_mean" else "moving_variance"
        scale = path_of(f"{unit}.scale")
        if scale is not None:
            assert moving.pop(scale.replace("gamma", statistic)) == pytest.approx(mean, abs=1e-9)
    assert not moving
