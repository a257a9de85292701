"""Small networks on optical flow give what their public code gives with the same weights."""

import math
import re
from functools import partial

import numpy as np
import pytest

pytest.importorskip("keras")

from mer_keras.models import registry
from tests.models.oracles import (
    Oracle,
    centred,
    check_scores,
    check_training,
    double_precision,
    load,
    scores_of,
)

PARTS = {"conv.kernel": "kernel", "conv.bias": "bias", "bn.scale": "gamma", "bn.shift": "beta"}


#: Units of the public code, by variant, that no clip passes through.
UNUSED = {"p": ("rec",), "c": ("embed",), "f": ("stream3",)}


def rcn_path(variant, name):
    """The public code's name of a tensor -> path of our variable."""
    unit, rest = name.split(".", 1)
    if "unused" in name or unit in UNUSED.get(variant, ()):
        return None
    if unit == "head":
        return f"classes/{rest}"
    if unit in ("rec", "dense", "embed"):
        step, rest = rest.split(".", 1)
        unit = "first" if "1x1" in step else "again"
    part = PARTS[rest]
    unit = unit.replace("stream", "stem")
    return f"{unit}/{part}" if rest.startswith("conv") else f"{unit}_norm/{part}"


def rcn(oracle, variant):
    """A network with the oracle's weights; blocks that no clip passes through are left out."""
    shape = (*oracle.facts["input"]["shape"][2:], 3)
    network = registry.build("rcn", shape, variant=variant, maps=16, pool=5, scale=1.0, drop=0.0)
    load(network, oracle, partial(rcn_path, variant), {"classes/kernel": (1, 16, 5, 5)})
    return network


@pytest.mark.parametrize("name", ["rcn_a", "rcn_s", "rcn_w", "rcn_p", "rcn_c", "rcn_f", "rcn_a_28"])
def test_rcn(name):
    oracle = Oracle.read(name)
    variant = name.split("_")[1]
    check_scores(rcn(oracle, variant), oracle)
    with double_precision():
        network = rcn(oracle, variant)
    check_training(network, oracle)
    moving = {v.path: float(np.mean(v)) for v in network.weights if "moving" in v.path}
    for tensor, mean in oracle.moving_means.items():
        unit, statistic = tensor.rsplit(".", 1)
        statistic = {"moving_mean": "moving_mean"}.get(statistic, "moving_variance")
        scale = rcn_path(variant, f"{unit}.scale")
        if scale is not None:
            assert moving.pop(scale.replace("gamma", statistic)) == pytest.approx(mean, abs=1e-9)
    assert not moving


@pytest.mark.parametrize(
    ("variant", "maps_64_pool_7", "pool_5"),
    [
        ("a", 55_747, 51_139),
        ("s", 55_747, 51_139),
        ("w", 52_675, 48_067),
        ("p", 52_675, 48_067),
        ("c", 52_675, 48_067),
        ("f", 52_195, 47_587),
    ],
)
def test_rcn_counts(variant, maps_64_pool_7, pool_5):
    for pool, count in ((7, maps_64_pool_7), (5, pool_5)):
        network = registry.build("rcn", variant=variant, pool=pool)
        assert sum(math.prod(v.shape) for v in network.trainable_weights) == count


def stream_path(name):
    name = re.sub(r"stream_([uv])\.conv(\d)\.", r"\1_conv\2/", name)
    return re.sub(r"^fc(\d)\.", r"dense\1/", name).replace("dense3", "classes")


def test_off_apexnet():
    oracle = Oracle.read("off_apexnet")

    def network(activation):
        arguments = {"conv_activation": activation, "scale": 1.0, "drop": 0.0}
        built = registry.build("off_apexnet", (28, 28, 2), **arguments)
        load(built, oracle, stream_path, {"dense1/kernel": (2, 16, 7, 7)})
        return built

    check_scores(network(None), oracle)
    with double_precision():
        check_training(network(None), oracle)
    scores = scores_of(network("relu")(oracle.inputs(), training=False))
    np.testing.assert_allclose(scores, centred(oracle.logits_with_relu), atol=2e-6)


def inception_path(name):
    unit = re.match(r"stream_([uv])\.block(\d)\.branch(\w+?)\.(.*)", name)
    if unit is None:
        return name.replace("fc1.", "dense/").replace("fc2.", "classes/")
    stream, block, branch, part = unit.groups()
    step = {"pool": "conv_pool", "_pool": "conv_pool", "1x1": "conv1"}.get(branch)
    if step is None:
        step = ("reduce" if part.startswith("reduce") else "conv") + branch[0]
    return f"{stream}_block{int(block) + 1}_{step}/{part.split('.')[-1]}"


def test_dual_inception():
    oracle = Oracle.read("dual_inception")
    with double_precision():
        network = registry.build("dual_inception", (28, 28, 2), scale=1.0)
    load(network, oracle, inception_path, {"dense/kernel": (2, 64, 7, 7)})
    check_training(network, oracle)
