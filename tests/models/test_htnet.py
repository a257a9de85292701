"""HTNet gives what its public code gives; the form without idle queries and keys is the same."""

import re
from functools import partial

import numpy as np
import pytest

pytest.importorskip("keras")

from mer_keras.errors import ConfigError
from mer_keras.models import registry
from tests.models.oracles import (
    Oracle,
    check_both_formats,
    check_training,
    double_precision,
    keras_form,
)
from tests.models.small import build_small

UNITS = {"attn.norm": "attention_norm", "mlp.norm": "dense_norm", "mlp.fc1": "dense1"}
UNITS |= {"mlp.fc2": "dense2"}
PARTS = {"scale": "gamma", "shift": "beta"}


def htnet_path(name):
    """The public code's name of a tensor -> path of our variable."""
    name = re.sub(r"^patch_embed\.", "patches/", name)
    name = name.replace("head.norm.", "norm/").replace("head.linear.", "classes/")
    name = name.replace(".pos_scalar_per_token", "_positions/positions")
    name = name.replace(".aggregate.conv.", "_aggregate/").replace(
        ".aggregate.norm.", "_aggregate_norm/"
    )
    transformer = re.match(r"(level\d)\.block(\d+)\.(\w+\.\w+)\.(\w+)", name)
    if transformer:
        level, number, unit, part = transformer.groups()
        layer = f"{level}_transformer{number}"
        if unit == "attn.out":
            return f"{layer}_attention/output_{part}"
        name = f"{layer}_{UNITS[unit]}/{part}" if unit in UNITS else name
    head, _, part = name.rpartition("/")
    return f"{head}/{PARTS.get(part, part)}"


def split_queries(oracle):
    """An oracle whose joint tensors of queries, keys and values are divided as ours are."""

    class Divided:
        facts = oracle.facts

        def tensors(self):
            for name, array in oracle.tensors():
                if not name.endswith("attn.qkv.kernel"):
                    yield name, array
                    continue
                joint = keras_form(array).reshape(array.shape[1], -1)
                inner = joint.shape[1] // 3
                yield f"{name}/query_key_kernel", joint[:, : 2 * inner]
                yield f"{name}/value_kernel", joint[:, 2 * inner :]

    return Divided()


def load_encoder(network, oracle, prefix=""):
    """Give a network the oracle's weights, those of queries and keys too."""
    variables = {variable.path: variable for variable in network.weights}
    for name, array in split_queries(oracle).tensors():
        tensor, _, part = name.partition("/")
        if part:
            path = htnet_path(tensor.replace("attn.qkv.kernel", "attn.out.bias"))
            path, values = path.replace("output_bias", part), array
        else:
            path, values = htnet_path(tensor), keras_form(array)
        variable = variables.pop(prefix + path)
        variable.assign(values.reshape(variable.shape))
    assert not variables


def htnet(oracle, **arguments):
    size = oracle.input["shape"][-1]
    network = registry.build("htnet", (size, size, 3), crops="none", **arguments)
    load_encoder(network, oracle)
    return network


def test_four_places_a_block():
    oracle = Oracle.read("htnet_small")
    arguments = {"dim": 24, "repeats": (1, 1, 2)}
    _, norms = check_both_formats(partial(htnet, oracle, **arguments), oracle)
    for name, norm in oracle.gradient_norms.items():
        if "qkv" not in name:
            assert norms[htnet_path(name)] == pytest.approx(norm, rel=1e-6, abs=1e-9), name


def test_one_place_a_block_with_and_without_idle_queries():
    oracle = Oracle.read("htnet_small_mid")
    arguments = {"dim": 32, "repeats": (1, 1, 2)}
    with double_precision():
        lean, full = (htnet(oracle, idle=idle, **arguments) for idle in (False, True))
    assert lean.count_params() == full.count_params()
    norms, full_norms = (check_training(network, oracle) for network in (lean, full))
    idle = {path: full_norms.pop(path) for path in set(full_norms) - set(norms)}
    assert len(idle) == 4
    assert max(idle.values()) == 0
    assert norms == pytest.approx(full_norms, rel=1e-12, abs=1e-12)


def test_the_canvas_is_cut_at_the_fixed_points():
    """Each area by its rows and columns in the published code."""
    from mer_keras.layers.face_areas import FaceAreas

    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3)).astype("float32")
    above = np.concatenate([images[:, 2:16, 4:18], images[:, 14:28, 3:17]], axis=2)
    below = np.concatenate([images[:, 3:17, 14:28], images[:, 13:27, 14:28]], axis=2)
    np.testing.assert_array_equal(FaceAreas()(images), np.concatenate([above, below], axis=1))


def test_two_levels_have_four_places_a_block_and_nothing_idle():
    network = build_small("htnet", levels=2, repeats=(1, 1))
    assert network.get_layer("level0_positions").positions.shape == (4,)
    assert not network.non_trainable_weights
    assert build_small("htnet").non_trainable_weights


@pytest.mark.parametrize("levels", [0, 4])
def test_levels_need_their_transformers(levels):
    with pytest.raises(ConfigError, match="one for each level"):
        build_small("htnet", levels=levels)


@pytest.mark.long
def test_full_size():
    oracle = Oracle.read("htnet_full")
    check_training(htnet(oracle), oracle, tolerance=2e-5)
