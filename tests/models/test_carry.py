"""Weights carried from one network into another of the same paper."""

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.models import registry
from mer_keras.models.weights import carry, carry_file
from tests.models.small import SHAPES, ramp_clips, set_ramp_weights

pytest.importorskip("keras")


def built(name, classes=5, **arguments):
    return registry.build(name, SHAPES[name], classes, **arguments)


def weights(network, layer):
    return network.get_layer(layer).get_weights()


def test_from_a_network_without_units_into_one_with_them():
    source, target = built("resnet10", 7), built("micro_attention", 5)
    set_ramp_weights(source)
    before = {layer.name: layer.get_weights() for layer in target.layers if layer.weights}
    own = carry(source, target)
    assert set(own) == {*(f"block{n}_attention" for n in (1, 2, 3, 4)), "classes"}
    for name, old in before.items():
        arrays = old if name in own else weights(source, name)
        for carried, expected in zip(weights(target, name), arrays, strict=True):
            np.testing.assert_array_equal(carried, expected)


def test_with_the_head_all_of_a_like_network_is_carried():
    source, target = built("resnet10"), built("resnet10")
    assert carry(source, target, head=True) == []
    clips = ramp_clips("resnet10")
    np.testing.assert_array_equal(
        source.predict(clips, verbose=0), target.predict(clips, verbose=0)
    )
    assert carry(source, target) == ["classes"]


def test_a_head_for_other_classes_starts_afresh():
    source, target = built("meranet", 400), built("meranet", 3)
    assert carry(source, target, head=True) == ["classes"]


def test_networks_of_two_papers_share_nothing():
    source, target = built("ststnet"), built("shallow_convlstm")
    before = target.get_weights()
    with pytest.raises(UserError, match="share no layer"):
        carry(source, target)
    for carried, expected in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(carried, expected)


class TestFromAFile:
    def stored(self, tmp_path, network, **changes):
        file = tmp_path / "start.npz"
        np.savez(file, **({w.path: np.array(w) for w in network.weights} | changes))
        return file

    def test_all_but_the_head_is_taken(self, tmp_path):
        source, target = built("resnet10", 1000), built("micro_attention", 5)
        set_ramp_weights(source)
        file = self.stored(tmp_path, source)
        own = carry_file(file, target)
        of_source = {w.path: np.array(w) for w in source.weights}
        for variable in target.weights:
            if variable.path in own:
                assert variable.path.split("/")[0] == "classes" or "attention" in variable.path
            else:
                np.testing.assert_array_equal(variable, of_source[variable.path])

    def test_a_colour_kernel_serves_a_gray_network(self, tmp_path):
        shape = (40, 40, 3)
        colour, gray = registry.build("resnet10", shape, 5), built("resnet10")
        set_ramp_weights(colour)
        (kernel,) = (w for w in colour.weights if len(w.shape) == 4 and w.shape[2] == 3)
        carry_file(self.stored(tmp_path, colour), gray)
        carried = next(w for w in gray.weights if w.path == kernel.path)
        np.testing.assert_allclose(carried, np.array(kernel).sum(axis=2, keepdims=True), rtol=1e-6)

    def test_what_does_not_fit_is_refused(self, tmp_path):
        target = built("resnet10")
        with pytest.raises(UserError, match="holds nothing that fits"):
            carry_file(self.stored(tmp_path, built("ststnet")), target)
        broken = np.full(target.weights[0].shape, np.nan)
        with pytest.raises(UserError, match="not finite"):
            carry_file(self.stored(tmp_path, target, **{target.weights[0].path: broken}), target)
        with pytest.raises(UserError, match=r"expected an \.npz"):
            carry_file(tmp_path / "absent.npz", target)
