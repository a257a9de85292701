"""Weights carried from one network into another of the same paper."""

import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.models import registry
from mer_keras.models.weights import carry
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
    kept = carry(source, target)
    assert set(kept) == {*(f"block{n}_attention" for n in (1, 2, 3, 4)), "classes"}
    for name, old in before.items():
        expected = old if name in kept else weights(source, name)
        for found, wanted in zip(weights(target, name), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


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
    for found, wanted in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, wanted)
