"""CausalNet gives what its public code gives, and computes images of directions itself."""

import re

import numpy as np
import pytest

pytest.importorskip("keras")

from mer_keras.layers.directions import DirectionImage
from mer_keras.layers.position_attention import diagonal_mask
from mer_keras.models import registry
from tests.models.oracles import Oracle, check_scores, check_training, double_precision, keras_form
from tests.models.small import build_small
from tests.models.test_htnet import load_encoder

ATTENTION = {"q": "query", "k": "key", "v": "value", "out": "out"}
PARTS = {"scale": "gamma", "shift": "beta"}


def causal_path(name):
    """The public code's name of a tensor of the cross and causal parts -> path of our variable."""
    name = name.replace("cab.stca.", "causal.").replace("cab.crm.", "causal.joint.")
    name = (
        name.replace("cab.", "causal.").replace("cross.layer", "cross").replace(".mlp.fc", ".dense")
    )
    name = name.replace("head.linear1.", "head.").replace("head.linear2.", "classes.")
    *units, part = name.replace(".attn.", ".attention.").split(".")
    units[-1] = ATTENTION.get(units[-1], units[-1])
    return f"{'_'.join(units)}/{PARTS.get(part, part)}"


class PartOf:
    """The tensors of an oracle that belong to one part of the network, under other names."""

    def __init__(self, oracle, select):
        self.facts, self.select, self.oracle = oracle.facts, select, oracle

    def tensors(self):
        for name, array in self.oracle.tensors():
            own = self.select(name)
            if own is not None:
                yield own, array


def of_encoder(second):
    def select(name):
        is_encoder = re.match(r"(enc2\.)?(patch_embed|level\d)\.", name)
        if not is_encoder or bool(is_encoder[1]) != second:
            return None
        return name.removeprefix("enc2.")

    return select


def causalnet(oracle, **arguments):
    network = registry.build("causalnet", crops="none", **arguments)
    for second, prefix in ((False, "flow_"), (True, "directions_")):
        encoder = network.get_layer(f"{prefix}encoded").layer
        load_encoder(encoder, PartOf(oracle, of_encoder(second)), prefix)
    variables = {variable.path: variable for variable in network.weights}
    assert len(variables) == len(network.weights)
    for name, array in oracle.tensors():
        if not name.startswith(("cross", "cab", "head")):
            continue
        path, values = causal_path(name), keras_form(array)
        halves = {path: values}
        if path.split("/")[0].endswith("_kv"):
            key, value = np.split(values, 2, axis=-1)
            halves = {path.replace("_kv", "_key"): key, path.replace("_kv", "_value"): value}
        for half, numbers in halves.items():
            variables.pop(half).assign(numbers)
    assert all(re.search("patches|level", path) for path in variables)
    return network


def images(oracle):
    inputs = oracle.inputs()
    return [inputs[:, image] for image in range(4)]


def test_it_gives_what_the_public_code_gives():
    oracle = Oracle.read("causalnet_small")
    network = causalnet(oracle, repeats=(1, 1, 1), hidden=1)
    assert network.count_params() == 35_995_145
    check_scores(network, oracle, images(oracle))


@pytest.mark.long
def test_gradients_and_full_size():
    oracle = Oracle.read("causalnet_small")
    with double_precision():
        network = causalnet(oracle, repeats=(1, 1, 1), hidden=1)
    check_training(network, oracle, images(oracle))
    del network
    oracle = Oracle.read("causalnet_full")
    check_training(causalnet(oracle), oracle, images(oracle), tolerance=2e-5)


def test_the_mask_has_no_diagonals():
    mask, bias = diagonal_mask(0.5)
    np.testing.assert_array_equal(mask, 1 - np.eye(4)[::-1])
    np.testing.assert_allclose(
        bias, np.array([[0, 0, 0, -2], [0, 0, -1.5, 0], [0, -1, 0, 0], [-0.5, 0, 0, 0]])
    )


def test_directions_are_those_of_opencv():
    cv2 = pytest.importorskip("cv2")
    u, v = np.meshgrid(np.arange(256, dtype="float32"), np.arange(256, dtype="float32"))
    angle = cv2.cartToPolar(u, v, angleInDegrees=True)[1]
    hue = np.full((256, 256, 3), 255, "uint8")
    hue[..., 0] = angle / 2
    # Rows as short as those of the published images: long ones are rounded otherwise.
    rows = cv2.cvtColor(hue.reshape(-1, 16, 3), cv2.COLOR_HSV2BGR)
    blue_green_red = rows.reshape(hue.shape)
    flow = np.stack([u, v, 0 * u], axis=-1)
    np.testing.assert_array_equal(DirectionImage()(flow[None])[0], blue_green_red[..., ::-1])


@pytest.mark.long
def test_computed_directions_are_the_given_ones():
    rng = np.random.default_rng(0)
    flow = [rng.integers(0, 256, (2, 28, 28, 3)).astype("float32") for _ in range(2)]
    given = build_small("causalnet")
    computed = build_small("causalnet", directions="computed", shape=((28, 28, 3),) * 2)
    computed.set_weights(given.get_weights())
    angles = [np.asarray(DirectionImage()(image)) for image in flow]
    np.testing.assert_allclose(computed(flow), given([*flow, *angles]), atol=1e-6)
    half = build_small("causalnet_onset_apex")
    half.set_weights(given.get_weights())
    np.testing.assert_allclose(half(flow[0]), computed([flow[0]] * 2), atol=1e-6)
