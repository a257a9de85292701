import os

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features.registry import extract
from mer_keras.methods import feature_vectors
from mer_keras.methods.feature_vectors import cached_vectors
from tests.features.volume import noise

ARGUMENTS = {"blocks": [2, 2, 1]}


@pytest.fixture
def clips(places):
    return [noise(9, 12, 12, seed=seed) for seed in range(5)]


@pytest.fixture
def computed(monkeypatch):
    """Numbers of the clips whose vector was computed, not read."""
    numbers = []
    vector_of = feature_vectors.vector_of

    def noted(name, clip, arguments, number, total):
        numbers.append(number)
        return vector_of(name, clip, arguments, number, total)

    monkeypatch.setattr(feature_vectors, "vector_of", noted)
    return numbers


def test_vectors_are_computed_once_and_then_read(clips, computed):
    expected = extract("lbp_top", clips, ARGUMENTS)
    for _ in range(2):
        vectors = feature_vectors.feature_vectors("lbp_top", clips, ARGUMENTS)
        np.testing.assert_array_equal(vectors, expected)
    assert sorted(computed) == [1, 2, 3, 4, 5]


def test_another_clip_argument_or_code_is_computed_anew(clips, computed, monkeypatch):
    cached_vectors("lbp_top", clips, 5, ARGUMENTS)
    computed.clear()
    clips[3] = clips[3] + np.uint8(1)
    cached_vectors("lbp_top", clips, 5, ARGUMENTS)
    assert computed == [4]
    cached_vectors("lbp_top", clips, 5, ARGUMENTS | {"points": 4})
    assert len(computed) == 6
    monkeypatch.setattr(feature_vectors, "_source_digest", lambda: "changed")
    cached_vectors("lbp_top", clips, 5, ARGUMENTS)
    assert len(computed) == 11


def test_few_clips_are_asked_for_ahead(places):
    """With a table of one row a clip as the only thing that grows, clips may be many."""
    ahead = []

    def drawn():
        for number in range(40):
            ahead.append(number - len(list((places / "cache").rglob("*.clip"))))
            yield noise(9, 12, 12, seed=number)

    assert cached_vectors("lbp_sip", drawn(), 40, ARGUMENTS).shape == (40, 80)
    assert max(ahead) <= 3 * (os.cpu_count() or 1)


def test_a_clip_without_a_vector_is_named(clips):
    clips[2] = clips[2][:5]
    with pytest.raises(ConfigError, match="clip 3 of 5: feature lbp_top: 5x12x12 voxels"):
        cached_vectors("lbp_top", clips, 5, ARGUMENTS)
    with pytest.raises(ConfigError, match="'lbp_top': blocks 3, expected three positive numbers"):
        cached_vectors("lbp_top", clips, 5, {"blocks": 3})
