"""The plain loops that features are measured against compute the same features."""

import numpy as np
import pytest

from mer_keras.bench import plain_loops
from mer_keras.features.gradient_histograms import higo_top, hog_top
from mer_keras.features.lbp_top import lbp_top

CLIP = np.random.default_rng(0).integers(0, 256, (9, 15, 13)).astype(np.uint8)


@pytest.mark.parametrize("radius", [(1, 1, 4), (3, 3, 3)])
def test_lbp_top(radius):
    blocks = (2, 3, 1)
    expected = lbp_top(CLIP, radius=radius, blocks=blocks)
    np.testing.assert_allclose(plain_loops.lbp_top(CLIP, radius, blocks), expected, rtol=1e-6)


def test_histograms_of_gradients():
    blocks = (3, 2, 2)
    for feature, equal in ((hog_top, False), (higo_top, True)):
        found = plain_loops.hog_top(CLIP, blocks, equal=equal)
        np.testing.assert_allclose(found, feature(CLIP, blocks=blocks), rtol=1e-5)
