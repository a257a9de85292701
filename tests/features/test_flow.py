import math
from statistics import median

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.flow import flow_length


def test_nothing_moves_where_most_of_the_face_is_still():
    image = np.zeros((12, 12, 3), np.float32)
    image[..., 0], image[..., 1] = 90, 140  # What no motion looks like in such an image.
    assert not flow_length(image).any()
    image[2:4, 2:4, 0] += 30
    image[2:4, 2:4, 1] -= 40
    lengths = flow_length(image).reshape(12, 12)
    assert lengths[2, 3] == pytest.approx(50)
    assert np.count_nonzero(lengths) == 4


def test_lengths_are_those_of_a_literal_loop():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.float32)
    still = [median(float(value) for value in image[..., channel].flat) for channel in range(3)]
    expected = [
        math.sqrt(sum((float(image[y, x, channel]) - still[channel]) ** 2 for channel in range(3)))
        for y in range(5)
        for x in range(7)
    ]
    lengths = flow_length(image)
    assert lengths.dtype == np.float32
    assert lengths.shape == (35,)
    np.testing.assert_allclose(lengths, expected, rtol=1e-6)


@pytest.mark.parametrize("count", [4, 5])
def test_lengths_of_many_images_at_once_are_the_same_bit_for_bit(count):
    """Whole arrays of images were once computed together; stored results are of these numbers."""
    images = np.random.default_rng(count).uniform(0, 255, (count, 28, 28, 3)).astype(np.float32)
    still = np.median(images, axis=(1, 2), keepdims=True)
    together = np.linalg.norm(images - still, axis=-1, keepdims=True).astype(np.float32)
    np.testing.assert_array_equal(
        [flow_length(image) for image in images], together.reshape(count, -1)
    )


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (9, 28, 28, 3)])
def test_what_is_no_flow_image_is_refused(shape):
    with pytest.raises(ConfigError, match=r"expected a flow image \(height, width, 3\)"):
        flow_length(np.zeros(shape, np.float32))
