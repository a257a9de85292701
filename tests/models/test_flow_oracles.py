"""Small networks on optical flow give what their public code gives with the same weights."""

import math
import re
from functools import partial

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from mer_keras.layers.capsules import ClassCapsules, LogLengths, PrimaryCapsules  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.models.blocks import pytorch_convolve  # noqa: E402
from mer_keras.models.counting import build_without_values  # noqa: E402
from tests.models.oracles import (  # noqa: E402
    Oracle,
    centred,
    check_both_formats,
    check_moving,
    double_precision,
    keras_form,
    load,
    scores_of,
)
from tests.models.small import build_small  # noqa: E402

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
    network, _ = check_both_formats(partial(rcn, oracle, variant), oracle)
    check_moving(network, oracle, partial(rcn_path, variant))


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
        network = build_without_values("rcn", variant=variant, pool=pool)
        assert sum(math.prod(v.shape) for v in network.trainable_weights) == count


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("sssn", {}, 515_203),
        ("dssn", {}, 857_603),
        ("htnet", {"repeats": (2, 2, 8)}, 114_429_446),
    ],
)
def test_counts_with_three_classes(name, arguments, count):
    assert build_without_values(name, classes=3, **arguments).count_params() == count


def stream_path(name):
    name = re.sub(r"stream_([uv])\.conv(\d)\.", r"\1_conv\2/", name)
    return re.sub(r"^fc(\d)\.", r"dense\1/", name).replace("dense3", "classes")


def test_off_apexnet():
    oracle = Oracle.read("off_apexnet")

    def network(activation):
        arguments = {"conv_activation": activation, "scale": 1.0, "drop": 0.0}
        built = registry.build("off_apexnet", (28, 28, 2), **arguments)
        load(built, oracle, stream_path, {"dense1/kernel": (1, 32, 7, 7)})
        return built

    check_both_formats(partial(network, None), oracle)
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

    def network():
        built = registry.build("dual_inception", (28, 28, 2), scale=1.0)
        load(built, oracle, inception_path, {"dense/kernel": (1, 128, 7, 7)})
        return built

    check_both_formats(network, oracle)


OFF_TANET = {
    "triple.spatial_gate.conv.": "triple_places/convolution/",
    "triple.channel_gate.fc1.": "triple_channels/squeeze/",
    "triple.channel_gate.fc2.": "triple_channels/expand/",
    "convA.": "first/",
    "convB.": "second/",
    "bnA.": "first_norm/",
    "bnB.": "second_norm/",
    "skip1x1.": "shortcut/",
    "stem.conv.": "stem/",
    "stem.bn.": "stem_norm/",
    "fc1.": "dense1/",
    "fc2.": "dense2/",
    "fc3.": "classes/",
    "/scale": "/gamma",
    "/shift": "/beta",
    ".": "_",
}


def renamed(name, pairs):
    for theirs, ours in pairs.items():
        name = name.replace(theirs, ours)
    return name


class JointHeads:
    """An oracle whose queries, keys and values of four heads are one kernel and one bias."""

    def __init__(self, oracle):
        self.tensors_of, self.facts = dict(oracle.tensors()), oracle.facts

    def tensors(self):
        heads = [name for name in self.tensors_of if ".head" in name]
        yield from ((n, array) for n, array in self.tensors_of.items() if n not in heads)
        for part in ("kernel", "bias"):
            joint = [
                self.tensors_of[f"triple.head{head}.{kind}.{part}"]
                for kind in "qkv"
                for head in range(4)
            ]
            yield f"triple_maps/{part}", np.concatenate(joint)


def test_off_tanet():
    oracle = Oracle.read("off_tanet")

    def path_of(name):
        return renamed(re.sub(r"^res(\d)", r"block\1", name), OFF_TANET)

    def network():
        built = registry.build("off_tanet", drop=0.0)
        load(built, JointHeads(oracle), path_of, {"dense1/kernel": (1, 8, 7, 7)})
        return built

    trained, _ = check_both_formats(network, oracle)
    check_moving(trained, oracle, path_of)


SSSNET = {"fc1.": "dense/", "fc.": "classes/", "bn": "conv", ".scale": "_norm/gamma"}
SSSNET |= {".shift": "_norm/beta", ".": "/"}


def test_sssnet():
    oracle = Oracle.read("sssnet")
    path_of = partial(renamed, pairs=SSSNET)

    def network():
        built = registry.build("sssnet", widths=(8, 16, 32), scale=1.0, drop=0.0)
        load(built, oracle, path_of, {"dense/kernel": (1, 16, 9, 9)})
        return built

    trained, _ = check_both_formats(network, oracle)
    check_moving(trained, oracle, path_of)


MACNN = {"convA.": "first/", "convB.": "second/", "skip1x1.": "shortcut/", "atrous.dil": "dilated"}
MACNN |= {"fc1.": "dense1/", "fc2.": "dense2/", "fc3.": "classes/", "_./": "/"}


@pytest.mark.long
def test_macnn():
    oracle = Oracle.read("macnn")

    def path_of(name):
        block = re.match(r"block(\d)\.(.*)", name)
        if block:
            name = f"block{int(block[1]) + 1}_{block[2]}"
        return renamed(name, MACNN).replace(".", "/")

    def network():
        built = registry.build("macnn", drop=0.0)
        load(built, oracle, path_of, {"dense1/kernel": (1, 256, 7, 7)})
        return built

    check_both_formats(network, oracle)


CAPSULES = {"conv1.": "conv/", "primary.conv.": "primary/", "caps.transform": "classes/kernel"}


def capsules():
    oracle = Oracle.read("capsule_head")
    with double_precision():
        network = build_heads()
    variables = {variable.path: variable for variable in network.weights}
    for name, array in oracle.tensors():
        array = array if "transform" in name else keras_form(array)
        variables.pop(renamed(name, CAPSULES)).assign(array)
    assert not variables
    return oracle, network


def build_heads():
    """The capsules behind a trunk of 16 maps, with as many primary capsules as the oracle's."""
    images = keras.Input((28, 28, 16))
    x = pytorch_convolve(images, 16, 9, padding="valid", activation="relu", name="conv")
    x = keras.layers.Conv2D(32, 9, strides=2, name="primary")(x)
    x = PrimaryCapsules(8)(x)
    x = LogLengths()(ClassCapsules(3, name="classes")(x))
    return keras.Model(images, keras.ops.exp(x))


def test_capsules_by_the_margin_loss_of_the_text():
    import tensorflow as tf

    oracle, network = capsules()
    with tf.GradientTape() as tape:
        lengths = network(oracle.inputs(), training=True)
        is_class = np.eye(3)[oracle.labels]
        present = is_class * tf.maximum(0.0, 0.99 - lengths) ** 2
        absent = 0.5 * (1 - is_class) * tf.maximum(0.0, lengths - 0.01) ** 2
        loss = tf.reduce_mean(tf.reduce_sum(present + absent, axis=1))
    np.testing.assert_allclose(lengths, oracle.logits, atol=1e-9)
    assert float(loss) == pytest.approx(oracle.loss, abs=1e-9)
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_weights])
    norm = np.linalg.norm([np.linalg.norm(gradient) for gradient in gradients])
    assert norm == pytest.approx(oracle.gradient_norm, rel=1e-7)


def test_the_network_of_capsules_divides_lengths_by_their_sum():
    network = build_small("capsulenet")
    images = np.random.default_rng(0).random((2, 28, 28, 3)).astype("float32")
    vectors = keras.Model(network.input, network.get_layer("classes").output)(images)
    lengths = np.linalg.norm(vectors, axis=-1)
    expected = lengths / lengths.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(images), expected, rtol=1e-4)
