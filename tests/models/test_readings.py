"""What the papers leave open: each reading can be built, and has the count that was worked out."""

import itertools
import math

import numpy as np
import pytest

from mer_keras.models import cost, registry
from tests.models.small import SHAPES, ramp_clips, set_ramp_weights

keras = pytest.importorskip("keras")

CONV3D, CONV2D, CONVLSTM = (f"shallow_attention_{n}" for n in ("conv3d", "conv2d", "convlstm"))


def trainable(model):
    return sum(math.prod(v.shape) for v in model.trainable_weights)


@pytest.mark.parametrize(
    ("name", "classes", "arguments", "count"),
    [
        # ACCV 2022: five classes; other readings of section 3.2; equations 1, 2 and 4
        ("shallow_convlstm", 5, {}, 11_664_421),
        ("shallow_convlstm", 3, {"padding": "same"}, 12_204_995),
        ("shallow_convlstm", 3, {"pool_stride": 2}, 3_012_035),
        ("shallow_convlstm", 3, {"peepholes": True}, 11_664_323 + 743_424),
        # ESANN 2025: readings of "a parameter size of 64"
        (CONV3D, 5, {"padding": "same"}, 4_257_173),
        (CONV2D, 5, {"padding": "same"}, 6_448_645),
        (CONVLSTM, 5, {"padding": "same"}, 6_276_373),
        (CONV3D, 5, {"key_dim": 64}, 6_286_645),
        (CONV2D, 5, {"key_dim": 64}, 18_060_629),
        (CONVLSTM, 5, {"key_dim": 64}, 17_897_613),
    ],
)
def test_shallow_networks(name, classes, arguments, count):
    assert registry.build(name, classes=classes, **arguments).count_params() == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "classes", "arguments", "count"),
    [
        ("shallow_convlstm", 3, {"all_states": True}, 104_672_195),
        (CONV3D, 5, {"key_dim": 64, "pool_stride": 1}, 46_482_549),
        (CONV2D, 5, {"key_dim": 64, "pool_stride": 1}, 70_605_253),
        (CONVLSTM, 5, {"key_dim": 64, "pool_stride": 1}, 69_856_405),
    ],
)
def test_large_readings_of_shallow_networks(name, classes, arguments, count):
    assert registry.build(name, classes=classes, **arguments).count_params() == count


@pytest.mark.parametrize(
    ("attention", "channels", "count"),
    [
        # Neurocomputing 2020, table 3: 4.9, 5.9 and 11.2 million
        ("none", 1, 4_900_359),
        ("micro", 1, 5_944_839),
        ("complex", 1, 11_167_239),
        ("none", 3, 4_906_635),
        ("micro", 3, 5_951_115),
        ("complex", 3, 11_173_515),
    ],
)
def test_micro_attention(attention, channels, count):
    model = registry.build("micro_attention", (224, 224, channels), attention=attention)
    assert trainable(model) == count


@pytest.mark.parametrize(
    ("classes", "arguments", "count"),
    [
        # MERANet, section 5.1: 33,167,811 without attention, 33,547,552 with
        (3, {"attention": "none"}, 33_167_811),
        (3, {}, 33_343_891),
        (3, {"reduction": 16}, 33_256_851),
        (400, {}, 33_547_552),
        (400, {"reduction": 16, "shared": False}, 33_547_552),
        # figures 4 and 5; attention alone; "zero padding"
        (3, {"network": "mlp"}, 33_343_891 + 2 * sum(c // 8 + c for c in (64, 128, 256, 512))),
        (3, {"kernel": 3}, 33_343_891 - 8 * 2 * (125 - 27)),
        (3, {"kernel": 7}, 33_343_891 + 8 * 2 * (343 - 125)),
        (3, {"attention": "channel"}, 33_167_811 + 174_080),
        (3, {"attention": "spatiotemporal"}, 33_167_811 + 2_000),
        (3, {"shortcut": "zero_padding"}, 33_343_891 - 172_032 - 2 * (128 + 256 + 512)),
    ],
)
def test_meranet(classes, arguments, count):
    assert trainable(registry.build("meranet", classes=classes, **arguments)) == count


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        # table 13: 3.115 million
        ({}, 3_115_412),
        # attention on the skip path, by plan
        ({"attended": "skip", "plan": "a"}, 3_114_822),
        ({"attended": "skip", "plan": "b"}, 3_135_805),
        ({"attended": "skip", "plan": "c"}, 3_097_202),
        ({"attended": "skip", "plan": "d"}, 3_161_297),
        ({"attended": "block", "plan": "a"}, 3_114_822),
        ({"attended": "outputs"}, 3_152_318),
        # table 11
        ({"attention": "none"}, 3_053_049),
        ({"attention": "channel"}, 3_115_361),
        ({"attention": "spatial"}, 3_053_100),
        # five classes: 7 x 7 x 498 weights and a bias a class
        ({"classes": 5}, 3_115_412 + 2 * 24_403),
    ],
)
def test_dense_mixed_attention(arguments, count):
    model = registry.build("dense_mixed_attention", **arguments)
    assert model.count_params() == count
    channels = 500 if "plan" in arguments else 498
    assert model.get_layer("flatten").input.shape[1:] == (7, 7, channels)


@pytest.mark.parametrize("plan", ["a", "b", "c", "d", "e"])
def test_residual_twin_is_of_like_size(plan):
    """Table 12 compares two ways to connect; the size should not be a third difference."""
    dense, twin = (
        registry.build("dense_mixed_attention", plan=plan, connection=c)
        for c in ("dense", "residual")
    )
    assert twin.count_params() == pytest.approx(dense.count_params(), rel=0.04)
    assert twin.get_layer("flatten").input.shape[1:3] == (7, 7)


@pytest.mark.parametrize(
    ("connection", "attended", "attention"),
    itertools.product(
        ("dense", "residual"),
        ("extractor", "outputs", "skip", "block"),
        ("none", "channel", "spatial", "mixed"),
    ),
)
def test_every_kind_of_dense_network_runs(connection, attended, attention):
    model = registry.build(
        "dense_mixed_attention",
        (32, 32, 3),
        connection=connection,
        attended=attended,
        attention=attention,
    )
    out = model.predict(np.random.default_rng(0).random((2, 32, 32, 3)), verbose=0)
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-5)
    names = {layer.name for layer in model.layers}
    blocks = ("block3",) if attended == "extractor" else ("block1", "block2", "block3")
    for block in ("block1", "block2", "block3"):
        spatial = block in blocks and attention in ("spatial", "mixed")
        channels = block in blocks and attention in ("channel", "mixed")
        assert (f"{block}_attention" in names) == spatial
        assert (f"{block}_channel_attention" in names) == channels


@pytest.mark.parametrize("attended", ["extractor", "outputs"])
def test_the_classifier_reads_attended_features(attended):
    """Equation 9: what is flattened is the attended output of the last block."""
    model = registry.build("dense_mixed_attention", (32, 32, 3), attended=attended)
    reads = {layer.name: layer.inputs for layer in cost.layer_costs(model)}
    assert reads["block3_channels"][0] == "block3_out"
    assert reads["block3_pool"] == ("block3_places",)
    assert model.get_layer("flatten").input is model.get_layer("block3_pool").output
    first = "block1_places" if attended == "outputs" else "block1_out"
    assert reads["block1_pool"] == (first,)


def test_the_attended_input_goes_where_it_is_said_to():
    """``skip``: layers read the plain block input; ``block``: the attended one."""
    reads = {}
    for attended in ("skip", "block"):
        model = registry.build("dense_mixed_attention", (32, 32, 3), attended=attended)
        reads[attended] = {layer.name: layer.inputs for layer in cost.layer_costs(model)}
    assert reads["skip"]["block1_layers"] == ("stem_norm",)
    assert reads["block"]["block1_layers"] == ("block1_places",)
    for inputs in reads.values():
        assert inputs["block1_out"] == ("block1_places", "block1_layers")


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("dense_mixed_attention", (0.99, 1e-3)),
        ("micro_attention", (0.999, 1e-5)),
        ("meranet", (0.9, 1e-5)),
        ("ststnet", (0.9, 1e-5)),
    ],
)
def test_batch_normalisation_has_the_constants_of_the_papers_framework(name, constants):
    model = registry.build(name, SHAPES[name])
    norms = [layer for layer in model._flatten_layers() if hasattr(layer, "epsilon")]
    assert norms
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {constants}
    if name != "ststnet":  # Its recipe is that of its authors' code.
        other = registry.build(name, SHAPES[name], batch_norm="keras")
        assert all(n.epsilon == 1e-3 for n in other._flatten_layers() if hasattr(n, "epsilon"))


def test_the_attention_map_may_be_that_of_the_printed_equations():
    """Equations 1 and 2 have no sigmoid: a map may leave 0..1."""
    maps = {}
    for activation in ("sigmoid", "linear"):
        model = registry.build("micro_attention", SHAPES["micro_attention"], activation=activation)
        set_ramp_weights(model)
        part = keras.Model(model.inputs, model.get_layer("block2_attention").output)
        maps[activation] = np.asarray(part.predict(ramp_clips("micro_attention"), verbose=0))
    # Both read the same first block but for its own map, so that only their ranges are compared.
    assert maps["sigmoid"].min() > 0 and maps["sigmoid"].max() < 1
    assert maps["linear"].min() < 0


def test_initial_kernels_are_as_wide_as_the_reading_says():
    for xavier, values in (("fans", 27), ("channels", 1)):
        model = registry.build("meranet", SHAPES["meranet"], xavier=xavier)
        kernel = np.asarray(model.get_layer("block1a_first").kernel)
        assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / (128 * values)), rel=0.01)


def test_the_slope_of_leaky_relu():
    for slope in (0.3, 0.1):
        model = registry.build("dense_mixed_attention", (32, 32, 3), slope=slope)
        assert model.get_layer("block3_channel_attention").negative_slope == slope


@pytest.mark.parametrize("name", registry.MODELS)
def test_each_departure_names_an_argument_that_its_builder_has(name):
    arguments = registry.all_arguments(name, {})
    for departure in registry.get_spec(name).departures:
        assert not departure.option or departure.option in arguments
        assert departure.about in departure.sentence and departure.here in departure.sentence


@pytest.mark.parametrize("name", ["meranet", "resnet10"])
def test_padding_is_even_on_both_sides(name):
    """A stride of 2 must see the picture from the same place on both sides, as the papers' did."""
    model = registry.build(name)
    stem = model.get_layer("stem")
    pad = model.get_layer("stem_pad")
    edges = stem.kernel_size
    assert [tuple(p) for p in pad.padding] == [(e // 2, e // 2) for e in edges]
    assert stem.padding == "valid"
