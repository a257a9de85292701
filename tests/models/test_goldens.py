"""What networks with known weights say of known clips, in every version and on every backend.

``python -m tests.models.test_goldens`` writes the values anew, where a change is meant.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mer_keras.models import registry
from tests.models.small import build_small, marked, ramp_clips, set_ramp_weights

GOLDENS = Path(__file__).with_name("goldens.json")
CLASSES = 4


def forward(name):
    network = build_small(name, CLASSES)
    set_ramp_weights(network)
    return network, np.asarray(network.predict(ramp_clips(name), verbose=0), "float64")


def golden(name):
    return np.array(json.loads(GOLDENS.read_text())[name])


@pytest.mark.parametrize("name", marked(registry.MODELS))
def test_forward_values(name, tmp_path):
    keras = pytest.importorskip("keras")
    network, predictions = forward(name)
    np.testing.assert_allclose(predictions, golden(name), atol=1e-4)
    # The values say something: no class is certain, and clips differ.
    assert predictions.max() < 0.999
    assert np.abs(predictions[0] - predictions[1]).max() > 2e-4
    file = tmp_path / "network.keras"
    network.save(file)
    loaded = keras.saving.load_model(file)
    np.testing.assert_allclose(loaded.predict(ramp_clips(name), verbose=0), predictions, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 2e-2), ("mixed_bfloat16", 1e-1)]
)
@pytest.mark.parametrize("name", marked(registry.MODELS))
def test_mixed_precision_stays_near(name, policy, tolerance):
    keras = pytest.importorskip("keras")
    pools_volumes = name.startswith(("shallow_attention_conv3d", "microexp", "dtscnn"))
    if pools_volumes and policy == "mixed_float16":
        pytest.skip("TensorFlow pools volumes of float16 on a GPU only")
    keras.config.set_dtype_policy(policy)
    try:
        _, predictions = forward(name)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(predictions, golden(name), atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_forward_values_on_another_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed (extra: pip install mer_keras[{backend}])")
    process = subprocess.run(
        [sys.executable, "-m", "tests.models.test_goldens", "--print"],
        env=os.environ | {"KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    predictions = json.loads(process.stdout)
    assert predictions.pop("backend") == backend
    assert set(predictions) == set(registry.MODELS)
    for name, values in predictions.items():
        np.testing.assert_allclose(values, golden(name), atol=1e-4, err_msg=name)


def main():
    import keras

    values = {name: forward(name)[1].round(6).tolist() for name in registry.MODELS}
    if "--print" in sys.argv:
        print(json.dumps({"backend": keras.backend.backend(), **values}))
    else:
        lines = ",\n".join(f' "{name}": {json.dumps(v)}' for name, v in values.items())
        GOLDENS.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
