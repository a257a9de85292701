"""What layers of the networks on optical flow do besides what their twins do."""

import numpy as np
import pytest

pytest.importorskip("keras")
import keras
from keras import ops

from mer_keras.layers.block_attention import BlockAttention
from mer_keras.layers.capsules import PrimaryCapsules, squash
from mer_keras.layers.channels import ChannelRange
from mer_keras.layers.choice import FAST_FORMS
from mer_keras.layers.class_attention import ClassAttentionHead
from mer_keras.layers.counted import counted_rows
from mer_keras.layers.counted_norm import CountedNormalization
from mer_keras.layers.face_areas import FaceAreas
from mer_keras.layers.pooling import PaddedMaxPool
from tests.models.small import build_small, ramp_clips, set_ramp_weights

RNG = np.random.default_rng(0)
NORMS = (CountedNormalization, FAST_FORMS[CountedNormalization])


@pytest.mark.parametrize("norm", NORMS, ids=("plain", "fast"))
def test_the_moving_variance_is_pytorchs(norm):
    layer, images = norm(), RNG.normal(size=(2, 3, 2, 4)).astype("float32")
    layer(images, training=True)
    values = images.reshape(-1, 4)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * values.mean(0), atol=1e-6)
    expected = 0.9 + 0.1 * values.var(0, ddof=1)
    np.testing.assert_allclose(layer.moving_variance, expected, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS, ids=("plain", "fast"))
def test_rows_that_fill_up_a_batch_do_not_count(norm):
    images = RNG.normal(size=(3, 3, 2, 4)).astype("float32")
    filled = np.concatenate([images, 100 + images[:2]])
    alone, together = norm(), norm()
    expected = alone(images, training=True)
    with counted_rows(ops.convert_to_tensor([1.0, 1.0, 1.0, 0.0, 0.0])):
        outputs = together(filled, training=True)
    np.testing.assert_allclose(outputs[:3], expected, atol=1e-5)
    for own, other in zip(together.weights, alone.weights, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_short_capsules_are_numbers_in_every_format(dtype):
    vectors = np.array([[0, 0, 0], [5e-5, 0, 0], [3, 4, 0]], "float64")
    squashed = ops.convert_to_numpy(ops.cast(squash(ops.cast(vectors, dtype)), "float64"))
    expected = [0, 2.5e-9, 25 / 26]
    lengths = np.linalg.norm(squashed, axis=-1)
    np.testing.assert_allclose(lengths, expected, rtol=1e-2, atol=1e-7)


def test_a_capsule_is_of_one_place():
    with pytest.raises(ValueError, match="12 channels: expected a multiple of size, 8"):
        PrimaryCapsules(8)(np.zeros((2, 6, 6, 12), "float32"))


def literal_attention(kernel, maps):
    """Class after class, as the authors' code has it."""
    attention = np.zeros(maps.shape[:3])
    for clip, of_clip in enumerate(maps):
        for of_class in np.moveaxis(kernel, -1, 0):
            where = (of_clip * of_class).mean(-1)
            where = where - where.min()
            attention[clip] += where / where.max() / kernel.shape[-1]
    return attention


def test_attention_is_read_off_the_kernel():
    head = ClassAttentionHead(classes=3, maps=6)
    maps = RNG.random((2, 4, 5, 6)).astype("float32")
    head(maps)
    kernel = RNG.normal(size=(4, 5, 6, 3)).astype("float32")
    head.kernel.assign(kernel.reshape(-1, 3))
    attention = np.asarray(head(maps, gives="attention"))
    np.testing.assert_allclose(attention[..., 0], literal_attention(kernel, maps), atol=1e-5)
    picture = RNG.random((2, 4, 5, 3)).astype("float32")
    expected = literal_attention(kernel.mean(2, keepdims=True), picture.mean(-1, keepdims=True))
    attention = np.asarray(head(picture, gives="picture_attention"))
    np.testing.assert_allclose(attention[..., 0], expected, atol=1e-5)


def test_a_constant_map_gives_numbers():
    head = ClassAttentionHead(classes=3, maps=6)
    assert np.isfinite(head(np.zeros((1, 4, 5, 6), "float32"), gives="attention")).all()


def test_idle_queries_are_weights_that_nothing_trains():
    maps = RNG.random((2, 4, 4, 6)).astype("float32")
    lean, full = BlockAttention(2, 3, 4), BlockAttention(2, 3, 4, full=True)
    outputs = []
    for layer in (lean, full):
        layer.build(maps.shape)
        for weight in layer.weights:
            weight.assign(np.sin(np.arange(np.prod(weight.shape))).reshape(weight.shape))
        outputs.append(np.asarray(layer(maps)))
    np.testing.assert_allclose(*outputs, atol=1e-6)
    assert lean.count_params() == full.count_params() == 6 * 6 * 4 + 6
    assert [weight.name for weight in lean.non_trainable_weights] == ["query_key_kernel"]
    assert not full.non_trainable_weights
    assert lean.multiply_accumulates([maps.shape]) == 16 * 2 * 36
    assert full.multiply_accumulates([maps.shape]) == 16 * (4 * 36 + 2 * 6)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (ChannelRange(1, 4), (2, 8, 8, 3), "no channels 1 up to 4"),
        (FaceAreas(), (2, 30, 28, 3), "crops='none'"),
        (BlockAttention(2, 3, 3), (2, 4, 4, 6), "3x3 blocks"),
        (CountedNormalization(), (2, 4, 6), "takes images"),
    ],
)
def test_what_a_layer_cannot_read_is_said(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.build(shape)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="are none"):
        ChannelRange(2, 2)
    with pytest.raises(ValueError, match="at most half"):
        PaddedMaxPool(3, 2, 2)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("mixed_float16", "float32"), ("float32", "float32"), ("float64", "float64")],
)
def test_capsules_of_classes_are_not_computed_in_half_precision(policy, expected):
    """Lengths below 6e-8 are zero in float16, so that all clips would get the same classes."""
    given = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = build_small("icegan_discriminator", 4)
        set_ramp_weights(network)
        first, second = np.asarray(network(ramp_clips("icegan_discriminator"), training=False))
    finally:
        keras.config.set_dtype_policy(given)
    for name in ("classes", "log_lengths"):
        assert network.get_layer(name).compute_dtype == expected
    assert (first != second).any()
