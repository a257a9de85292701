"""The same networks build and train one step on JAX and on PyTorch."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.models.small import SHAPES

CODE = """
import numpy as np
import keras
from mer_keras.arrays import each_shape, take
from mer_keras.config.training import Train
from mer_keras.training.trainer import Trainer
from tests.models.small import build_small

assert keras.backend.backend() == {backend!r}
shapes = {shapes!r}
recipe = Train.model_validate(dict(
    optimizer=dict(learning_rate=1e-2), epochs=1, batch_size=8, balance="oversample",
    augmentation=dict(flip=0.5, brightness=0.1, salt_pepper=0.02)))
for name, shape in shapes.items():
    rng = np.random.default_rng(0)
    inputs = tuple(rng.random((8, *part)).astype("float32") for part in each_shape(shape))
    x = inputs if len(inputs) > 1 else inputs[0]
    y = np.arange(8, dtype="int32") % 3
    trainer = Trainer(lambda: build_small(name), recipe)
    trainer.reset(5)
    before = [np.array(keras.ops.convert_to_numpy(v)) for v in trainer.network.trainable_weights]
    record = trainer.fit(x, y, seed=5)
    assert trainer.predict(take(x, [0, 1])).shape == (2, 3)
    assert np.isfinite(record.history["loss"]).all()
    after = [keras.ops.convert_to_numpy(v) for v in trainer.network.trainable_weights]
    assert any((a != b).any() for a, b in zip(after, before)), name
    print("trained", name)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_one_step_on_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed (extra: pip install mer_keras[{backend}])")
    process = subprocess.run(
        [sys.executable, "-c", CODE.format(backend=backend, shapes=SHAPES)],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stdout.split() == [word for name in SHAPES for word in ("trained", name)]
