"""Class activation maps: against the closed form, over all networks, and on something planted."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from mer_keras.explanation.grad_cam import grad_cam, to_input_size  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from tests.models.small import SHAPES, build_small, marked, ramp_clips, set_ramp_weights  # noqa: E402

RNG = np.random.default_rng(0)


def pooled_network(shape, kind):
    """Convolution, mean over places, dense softmax: its Grad-CAM has a closed form."""
    convolution, pool = {
        "2d": (layers.Conv2D, layers.GlobalAveragePooling2D),
        "3d": (layers.Conv3D, layers.GlobalAveragePooling3D),
    }[kind]
    inputs = keras.Input(shape)
    x = convolution(6, 3, padding="same", activation="relu", name="maps")(inputs)
    x = layers.Dense(3, activation="softmax")(pool()(x))
    return keras.Model(inputs, x)


@pytest.mark.parametrize(("shape", "kind"), [((8, 9, 2), "2d"), ((4, 8, 9, 2), "3d")])
def test_behind_a_mean_it_is_the_class_activation_map(shape, kind):
    network = pooled_network(shape, kind)
    clips = RNG.random((3, *shape)).astype("float32")
    classes = np.array([2, 0, 1])
    # With positive weights something speaks for every class.
    kernel = RNG.random((6, 3)).astype("float32")
    network.layers[-1].kernel.assign(kernel)
    below = keras.Model(network.inputs, network.get_layer("maps").output)
    maps = below.predict(clips, verbose=0)
    plain = np.stack([np.maximum(m @ kernel[:, c], 0) for m, c in zip(maps, classes, strict=True)])
    peaks = plain.reshape(3, -1).max(1).reshape(3, *(1,) * (plain.ndim - 1))
    np.testing.assert_allclose(grad_cam(network, clips, "maps", classes), plain / peaks, atol=1e-5)


@pytest.mark.parametrize(
    "name", marked(name for name, spec in registry.MODELS.items() if spec.focus)
)
def test_every_network_has_a_map_of_the_size_of_its_input(name):
    network = build_small(name, 4)
    set_ramp_weights(network)
    clips, spec = ramp_clips(name), registry.get_spec(name)
    spans = []
    # A map is zero where nothing speaks for the class; for some class something does.
    for classes in ([1, 3], [0, 0], [2, 2]):
        heat = grad_cam(network, clips, spec.focus, np.array(classes))
        assert heat.shape == clips.shape[:-1]
        assert heat.dtype == np.float32
        assert heat.min() >= 0
        assert heat.max() <= 1
        spans.append(np.ptp(heat))
        if spans[-1] > 0.01:
            break
    assert spans[-1] > 0.01
    predicted = network.predict(clips, verbose=0).argmax(axis=1)
    np.testing.assert_allclose(
        grad_cam(network, clips, spec.focus),
        grad_cam(network, clips, spec.focus, predicted),
        atol=1e-6,
    )


def test_nothing_speaks_for_the_class():
    network = pooled_network((6, 6, 1), "2d")
    network.layers[-1].kernel.assign(-np.ones((6, 3)))
    heat = grad_cam(network, RNG.random((2, 6, 6, 1)).astype("float32"), "maps", np.array([0, 1]))
    assert not heat.any()


def test_a_map_without_time_holds_for_all_frames():
    heat = RNG.random((3, 4))
    scaled = to_input_size(heat, (5, 6, 8))
    assert scaled.shape == (5, 6, 8)
    assert (scaled == scaled[0]).all()


def test_cells_of_a_grid_come_back_to_their_places():
    """Only the middle cell of the clip is bright, so only there is anything to weigh."""
    name = "shallow_attention_conv3d"
    network = build_small(name)
    set_ramp_weights(network)
    network.get_layer("convolution_each").layer.bias.assign(np.zeros(8))
    clip = np.zeros((1, *SHAPES[name]), "float32")
    clip[:, :, 7:14, 7:14] = 1
    heats = [grad_cam(network, clip, "convolution_each", np.array([c]))[0] for c in range(3)]
    heat = max(heats, key=lambda h: h.sum())
    # Scaling spreads the edge of the cell over its neighbours' edges.
    assert heat[:, 7:14, 7:14].sum() > 0.6 * heat.sum() > 0
    assert not heat[:, :5].any()
    assert not heat[:, :, 16:].any()


@pytest.mark.slow
def test_it_finds_what_tells_the_classes_apart():
    """The class is the direction of the stripes of a patch; the map must point to the patch."""
    keras.utils.set_random_seed(0)
    shape, count = (64, 64, 1), 128
    labels = np.arange(count) % 2
    corners = RNG.integers(0, 3, (count, 2)) * 21
    stripes = np.tile(np.array([1, 1, 0, 0], "float32"), 6)[:21]
    images = 0.2 * RNG.random((count, *shape)).astype("float32")
    for image, label, (y, x) in zip(images, labels, corners, strict=True):
        patch = np.broadcast_to(stripes, (21, 21))
        image[y : y + 21, x : x + 21, 0] += patch if label else patch.T
    inputs = keras.Input(shape)
    x = inputs
    for depth, filters in enumerate((8, 16, 16)):
        stride = 2 if depth else 1
        x = layers.Conv2D(filters, 3, stride, "same", activation="relu", name=f"maps{depth}")(x)
    outputs = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(inputs, outputs)
    network.compile(
        keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    network.fit(images, labels, epochs=30, verbose=0)
    assert network.evaluate(images, labels, verbose=0)[1] > 0.95
    heat = grad_cam(network, images, "maps2", labels)
    inside = [h[y : y + 21, x : x + 21].mean() for h, (y, x) in zip(heat, corners, strict=True)]
    assert np.mean(inside) > 3 * heat.mean()
