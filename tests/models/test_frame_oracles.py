"""Networks on frames give what their public code gives with weights that a rule makes.

A tensor of number t, in the order of the public code, is sin(0.37 k + 0.11 t) / sqrt(fan in) at its
place k; normalisations change nothing. Inputs are 0.5 + 0.5 sin(0.013 k + 0.3).
"""

import math
import re
from collections.abc import Iterable

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from mer_keras.models import registry  # noqa: E402
from mer_keras.models.counting import build_without_values  # noqa: E402
from tests.models.oracles import Oracle, centred, double_precision, load, scores_of  # noqa: E402
from tests.models.small import ARGUMENTS, SHAPES, build_small  # noqa: E402


def wave(shape, number, fan_in):
    """Values of a tensor, in its own shape."""
    place = np.arange(math.prod(shape), dtype="float64")
    return (np.sin(0.37 * place + 0.11 * number) / math.sqrt(fan_in)).reshape(shape)


def inputs(*shape):
    place = np.arange(math.prod(shape), dtype="float64")
    return (0.5 + 0.5 * np.sin(0.013 * place + 0.3)).reshape(shape).astype("float32")


def set_weights(network, layer_names: Iterable[str], turned=()):
    """Give the layers of a network the rule's weights; ``turned``: axes of a kernel's own order."""
    number = 0
    for name in layer_names:
        layer, values = find(network, name), []
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        fan_in = math.prod(layer.weights[0].shape[:-1])
        for weight in layer.weights:
            shape = tuple(weight.shape)
            if is_norm:
                values.append(np.array(weight))
            elif len(shape) == 5 and turned:
                stored = tuple(shape[turned.index(axis)] for axis in range(5))
                values.append(wave(stored, number, fan_in).transpose(turned))
            else:
                values.append(wave(shape, number, fan_in))
            number += 1
        layer.set_weights(values)


def find(network, name):
    """A layer of a network, or of a network within it."""
    (layer,) = (layer for layer in network._flatten_layers() if layer.name == name)
    return layer


def part(network, first, last):
    """The layers behind ``first`` up to ``last``."""
    return keras.Model(network.get_layer(first).output, network.get_layer(last).output)


def test_learnet():
    network = registry.build("learnet")
    norms = {letter: (f"sum12_{letter}_norm", f"sum34_{letter}_norm") for letter in "ab"}
    order = ["stem"]
    for letter in "abc":
        order += [f"branch{number}_{letter}" for number in (1, 2, 3, 4)]
        order += norms.get(letter, ())
    set_weights(network, [*order, "branches_norm", "conv", "dense", "classes"])
    images = inputs(2, 112, 112, 3)
    expected = [
        [-1.1197936534881592, -1.0996015071868896, -1.076902151107788],
        [-1.1198105812072754, -1.0996043682098389, -1.0768831968307495],
    ]
    np.testing.assert_allclose(scores_of(network(images, training=False)), expected, atol=1e-6)
    dense = np.asarray(keras.Model(network.input, network.get_layer("dense").output)(images))
    assert dense.mean() == pytest.approx(0.005075889639556408, rel=1e-4)
    assert dense.std() == pytest.approx(0.006174563430249691, rel=1e-4)
    first = [0, 0, 0, 0.0030173494, 0.0085793373, 0.0129801538]
    np.testing.assert_allclose(dense[0, :6], first, atol=1e-6)


def test_microexp_stcnn_whose_time_comes_last():
    network = registry.build("microexp_stcnn", (18, 64, 64, 1))
    assert network.count_params() == 1_643_267
    set_weights(network, ["conv", "dense", "classes"], turned=(2, 0, 1, 3, 4))
    clips = inputs(2, 64, 64, 18, 1).transpose(0, 3, 1, 2, 4)
    expected = [
        [-1.1195945739746094, -1.095563530921936, -1.0810573101043701],
        [-1.1195956468582153, -1.0955631732940674, -1.0810565948486328],
    ]
    np.testing.assert_allclose(scores_of(network(clips, training=False)), expected, atol=2e-6)


@pytest.mark.long
def test_a_stream_of_dtscnn():
    network = registry.build("dtscnn", (64, 64, 64, 3))
    assert network.count_params() == 1_027_189
    convolutions = [f"short_conv{number}" for number in (1, 2, 3, 4)]
    set_weights(network, [*convolutions, "dense1", "dense2", "classes"])
    scores = scores_of(network(inputs(2, 64, 64, 64, 3), training=False))
    expected = [
        [-1.596359133720398, -1.5977596, -1.60489009, -1.61678541, -1.63183558],
        [-1.5963598489761353, -1.5977602, -1.60489023, -1.61678505, -1.63183463],
    ]
    np.testing.assert_allclose(scores, expected, atol=2e-6)


#: Mean, deviation and first values behind each pooling of VGG-16, of an image.
POOLINGS = {
    "pool1": (0.03197919949889183, 0.03008153848350048, (0.0396695398, 0.0568211526, 0.0662822425)),
    "pool2": (0.009911742061376572, 0.0115252006798982, (0.0204914771, 0.0266998596, 0.0294279512)),
    "pool3": (0.007385670207440853, 0.0087390280260013, (0.0239526387, 0.0233777594, 0.0197491311)),
    "pool4": (0.005585480481386185, 0.0066627543419599, (0.014764959, 0.0107638724, 0.0054296930)),
    "pool5": (0.005113186314702034, 0.0061098150908946, (0.0066613862, 0.0011999283, 0)),
}


@pytest.mark.long
def test_vgg_16_of_four_channels():
    network = registry.build("vgg16", (32, 32, 4), scale=1.0)
    assert network.count_params() == 33_618_309
    names = [layer.name for layer in network.layers if layer.weights]
    set_weights(network, names)
    images = inputs(2, 32, 32, 4)
    for name, (mean, deviation, first) in POOLINGS.items():
        output = np.asarray(keras.Model(network.input, network.get_layer(name).output)(images))[0]
        assert output.mean() == pytest.approx(mean, rel=2e-4)
        assert output.std() == pytest.approx(deviation, rel=2e-4)
        np.testing.assert_allclose(output.ravel()[:3], first, atol=2e-6)
    expected = [-1.601996541, -1.6072216033935547, -1.61119151, -1.61336863, -1.61345851]
    np.testing.assert_allclose(scores_of(network(images, training=False))[0], expected, atol=2e-6)


@pytest.mark.long
def test_the_lstm_of_elrcn(monkeypatch):
    # Orthogonal matrices of this size take a minute.
    start = keras.initializers.Zeros()
    monkeypatch.setattr(
        keras.initializers.Orthogonal, "__call__", lambda _, *a, **k: start(*a, **k)
    )
    arguments = {
        **ARGUMENTS["elrcn"],
        "units": 64,
        "lstm_units": 3000,
        "hidden": 128,
        "recurrent_activation": "sigmoid",
    }
    network = registry.build("elrcn", (9, *SHAPES["elrcn"][1:]), 5, **arguments)
    temporal = part(network, "fc7_dropout", "classes")
    assert temporal.count_params() == 37_164_773
    set_weights(network, ["lstm1", "hidden", "classes"])
    scores = np.asarray(temporal(inputs(2, 9, 64), training=False))
    expected = [
        [-0.6662876605987549, -0.65591723, -0.65056130, -0.65085679, -0.65676862],
        [-0.6662763357162476, -0.65590644, -0.65055239, -0.65085071, -0.65676635],
    ]
    np.testing.assert_allclose(scores, expected, atol=6e-6)
    # The loss of the authors divides sigmoids by their sum.
    sigmoids = np.exp(scores)
    whole = part(network, "fc7_dropout", "probabilities")
    shares = sigmoids / sigmoids.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(whole(inputs(2, 9, 64), training=False), shares, atol=1e-6)


def test_the_discriminator_of_ice_gan():
    network = registry.build("icegan_discriminator", spectral=False)
    # Numbers of kernel and bias in the public code, which has the bias in front.
    numbers = {
        "conv1": (1, 0),
        "conv2": (2,),
        "conv3": (5,),
        "conv4": (8,),
        "conv5": (12, 11),
        "conv6": (16, 15),
        "conv7": (18, 17),
    }
    for name, (kernel_number, *bias) in numbers.items():
        layer = network.get_layer(name)
        rows, columns, channels, filters = layer.kernel.shape
        fan_in = rows * columns * channels
        kernel = wave((filters, channels, rows, columns), kernel_number, fan_in)
        layer.kernel.assign(kernel.transpose(2, 3, 1, 0))
        if bias:
            layer.bias.assign(wave((filters,), bias[0], fan_in))
    classes = network.get_layer("classes")
    classes.kernel.assign(40 * wave(tuple(classes.kernel.shape), 27, 8))
    images = inputs(2, 1, 128, 128).transpose(0, 2, 3, 1)
    features = np.asarray(keras.Model(network.input, network.get_layer("conv7").output)(images))
    assert features.std() == pytest.approx(0.15216560661792755, rel=1e-4)
    np.testing.assert_allclose(features[0, 0, :6, 0], 0.2849077582359314, atol=1e-5)
    capsules = keras.Model(network.input, classes.output)(images)
    lengths = np.linalg.norm(np.asarray(capsules), axis=-1)
    expected = [
        [8.265129145001993e-05, 7.46241130400449e-05, 6.985820073168725e-05],
        [8.252495899796486e-05, 7.451170677086338e-05, 6.97526556905359e-05],
    ]
    np.testing.assert_allclose(lengths, expected, rtol=2e-3)
    shares = np.array(expected) / np.sum(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(network(images, training=False), shares, atol=1e-3)


def emr_path(name):
    """The public code's name of a tensor -> path of our variable."""
    if name.startswith(("classifier_", "domain.")):
        return None
    name = name.replace("fc_top.", "upper_dense/").replace("fc_bottom.", "lower_dense/")
    name = name.replace("classifier.", "classes/").replace("stem.conv.", "stem/")
    name = name.replace("stem.bn.", "stem_norm/")
    step = re.match(r"stage(\d)\.block(\d)\.(.*)\.(\w+)$", name)
    if step:
        stage, block, unit, part_name = step.groups()
        units = {"conv1": "first", "bn1": "first_norm", "conv2": "second", "bn2": "second_norm"}
        units |= {"shortcut.conv": "shortcut", "shortcut.bn": "shortcut_norm"}
        name = f"stage{stage}{'ab'[int(block)]}_{units[unit]}/{part_name}"
    return name.replace("/scale", "/gamma").replace("/shift", "/beta")


@pytest.mark.long
def test_emr():
    oracle = Oracle.read("emr")
    with double_precision():
        network = registry.build("emr", scale=1.0, offset=0.0)
    load(network, oracle, emr_path)
    images = oracle.inputs()
    layers = {
        "stem": "stem_relu",
        "stage4_out": "stage4b_out",
        "fc_top": "upper_dense",
        "fc_bottom": "lower_dense",
    }
    for name, facts in oracle.intermediates.items():
        output = np.asarray(
            keras.Model(network.input, network.get_layer(layers[name]).output)(images)
        )
        if output.ndim == 4:
            output = output.transpose(0, 3, 1, 2)
        np.testing.assert_allclose(output.ravel()[:8], facts["first"], atol=1e-9)
        assert output.ravel()[-1] == pytest.approx(facts["last"], abs=1e-9)
        assert output.mean() == pytest.approx(facts["mean"], abs=1e-9)
    scores = scores_of(network(images, training=False))
    np.testing.assert_allclose(scores, centred(oracle.logits), atol=1e-9)


def count(name, shape=None, classes=None, **arguments):
    """Trained weights of a network."""
    network = build_without_values(name, shape, classes, **arguments)
    return sum(math.prod(v.shape) for v in network.trainable_weights)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "arguments", "expected"),
    [
        ("learnet", None, 8, {}, 1_867_528 - 704),
        ("microexp_fusenet", ((18, 32, 32, 1),) * 2, 3, {}, 6_694_915),
        ("microexp_fusenet_late", ((18, 32, 32, 1),) * 2, 3, {}, 6_827_523),
        ("alexnet", None, 3, {}, 56_880_515),
        ("alexnet", None, 1000, {}, 60_965_224),
        ("alexnet", None, 5, {"groups": 1}, 58_301_829),
        ("alexnet", None, 1000, {"groups": 1}, 62_378_344),
        ("alexnet_lstm", None, 5, {"feature": "fc6", "lstm_units": 1024}, 62_480_773),
        ("strcn", None, 3, {"maps": 256}, 3_746_051),
        ("strcn", None, 3, {"maps": 128}, 939_139),
        ("strcn", None, 3, {"maps": 64}, 236_099),
        ("strcn", None, 3, {"shared": True}, 7_885_315),
    ],
)
def test_counts_of_other_readings(name, shape, classes, arguments, expected):
    assert count(name, shape, classes, **arguments) == expected


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "shape", "classes", "arguments", "expected"),
    [
        ("vgg16", (224, 224, 4), 5, {}, 134_281_605),
        ("vgg16", (224, 224, 5), 5, {}, 134_282_181),
        ("vgg16", (50, 50, 3), 5, {}, 33_617_733),
        ("vgg16", (50, 50, 4), 5, {}, 33_618_309),
        # a model zoo's count of the network without the classifiers at the side
        ("googlenet", None, 1000, {}, 6_998_552),
        # with VGG-16's own head for each stream, as while it is trained alone
        ("elrcn", None, 5, {}, 219_830_378 - 20_485),
        ("elrcn", None, 5, {"lstm_layers": 2}, 219_830_378 - 20_485 + 72_012_000),
        ("elrcn_te", ((9, 224, 224, 3),) * 3, 5, {}, 586_695_860 - 3 * 20_485),
    ],
)
def test_counts_of_large_readings(name, shape, classes, arguments, expected):
    assert count(name, shape, classes, **arguments) == expected


def test_the_maps_of_googlenet_are_those_of_its_paper():
    """Table 1 prints the output of each module."""
    printed = {"3a": 256, "3b": 480, "4a": 512, "4b": 512, "4c": 512, "4d": 528, "4e": 832}
    printed |= {"5a": 832, "5b": 1024}
    network = build_without_values("googlenet")
    sides = {"3": 28, "4": 14, "5": 7}
    for name, maps in printed.items():
        side = sides[name[0]]
        assert network.get_layer(f"inception{name}").output.shape[1:] == (side, side, maps)


def test_a_frozen_part_keeps_its_weights():
    network = build_small("elrcn", frozen=True)
    own = {v.path.split("/")[0] for v in network.trainable_weights}
    assert own == {"fc7", "lstm1", "hidden", "classes"}
