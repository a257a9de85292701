"""Loops that features are measured beside compute the same; many clips are read the second time."""

import numpy as np
import pytest

from mer_keras.bench import features
from mer_keras.bench.case import CaseOptions
from mer_keras.features.registry import get_feature


@pytest.mark.parametrize("name", features.FLOWS)
def test_a_loop_is_the_feature(name):
    field = np.random.default_rng(0).normal(size=(17, 19, 2)).astype(np.float32)
    loop = features.FLOWS[name]((field[..., 0].tolist(), field[..., 1].tolist()))
    np.testing.assert_allclose(get_feature(name)(field), loop, atol=1e-6)


def test_many_clips_are_computed_then_read(places):
    computed, read = features.many_clips(CaseOptions(quick=True, folder=places))
    assert (computed.pieces, read.pieces) == (40, 40)
    assert computed.facts["table, MiB"] == round(40 * 5 * 5 * 3 * 59 * 4 / 2**20)
    assert len(list((places / "cache").rglob("*.clip"))) == 41  # One clip more warms it up.
