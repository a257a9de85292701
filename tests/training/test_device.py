"""Number formats, XLA, several devices, batches that fit."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.errors import UserError  # noqa: E402
from mer_keras.training.device import trials  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from tests.training.small import build, fold, recipe  # noqa: E402


def trained(**changes):
    return fold().unwatched.trained(recipe(**changes), seed=3)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_the_digits_give_about_the_same(precision):
    clips = fold().tested
    exact, short = (Trainer(build, recipe(precision=p)) for p in ("float32", precision))
    exact.reset(3)
    short.reset(3)
    probabilities = short.predict(clips)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(probabilities, exact.predict(clips), atol=2e-2)
    assert np.any(probabilities != exact.predict(clips))
    assert keras.config.dtype_policy().name == "float32", "nothing is left behind"


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_the_digits_learn(precision):
    record, _ = trained(precision=precision, epochs=40)
    losses = record.history["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_weights_are_kept_in_float32():
    trainer = Trainer(build, recipe(precision="mixed_bfloat16"))
    assert {str(w.dtype) for w in trainer.network.trainable_weights} == {"float32"}
    assert trainer.network.get_layer("hidden").compute_dtype == "bfloat16"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others can")
def test_what_keras_would_leave_out_silently_is_refused():
    with pytest.raises(UserError, match=r"deterministic.*KERAS_BACKEND=jax"):
        trained(jit_compile=True)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="others can't")
def test_xla_gives_the_same():
    (_, compiled), (_, plain) = (trained(jit_compile=compiled) for compiled in (True, False))
    np.testing.assert_allclose(compiled, plain, atol=2e-3)


def test_batches_are_doubled_until_one_does_not_fit(monkeypatch):
    model = Trainer(build, recipe()).model
    seen = []

    class ResourceExhaustedError(Exception):
        pass

    def step(inputs, labels):
        seen.append(len(labels))
        if len(labels) > 4:
            raise ResourceExhaustedError("OOM")

    monkeypatch.setattr(model, "train_on_batch", step)
    monkeypatch.setattr("mer_keras.training.device.WORTH", 0)
    assert [trial.batch for trial in trials(model, 64)] == [1, 2, 4]
    assert seen == [1, 1, 2, 2, 4, 4, 8]


def test_batches_end_at_the_largest_that_was_asked_for(monkeypatch):
    monkeypatch.setattr("mer_keras.training.device.WORTH", 0)
    fitting = list(trials(Trainer(build, recipe()).model, 6))
    assert [trial.batch for trial in fitting] == [1, 2, 4]
    assert all(trial.rate > 0 for trial in fitting)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="one device only")
def test_a_batch_is_divided_among_devices():
    """Two parts of this machine's processor stand in for two GPUs; the order is not compared."""
    code = textwrap.dedent(
        """
        import os
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
        import keras
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf
            cpu = tf.config.list_physical_devices("CPU")[0]
            half = tf.config.LogicalDeviceConfiguration()
            tf.config.set_logical_device_configuration(cpu, [half, half])
        import numpy as np
        from mer_keras.config.training import Train
        from mer_keras.training.trainer import Trainer
        assert len(keras.distribution.list_devices()) == 2
        rng = np.random.default_rng(0)
        x, y = rng.random((16, 6, 6, 1)).astype("float32"), (np.arange(16) % 2).astype("int32")
        def build():
            clip = keras.Input((6, 6, 1))
            flat = keras.layers.Flatten()(clip)
            return keras.Model(clip, keras.layers.Dense(2, activation="softmax")(flat))
        predictions = []
        for parallel in (False, True):
            recipe = {"optimizer": {"learning_rate": 0.05}, "epochs": 3, "batch_size": 16}
            recipe = Train.model_validate(recipe | {"data_parallel": parallel})
            trainer = Trainer(build, recipe)
            for seed in (1, 2):
                trainer.fit(x, y, seed=seed)
                predictions.append(trainer.predict(x[:4]))
        np.testing.assert_allclose(predictions[2:], predictions[:2], atol=1e-4)
        assert np.any(predictions[0] != predictions[1])
        print("divided")
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("divided"), done.stderr[-2000:]
