import copy
import inspect
import subprocess
import sys

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.features import registry
from mer_keras.features.registry import FEATURES, SEVERAL_INPUTS, extract, get_feature


def brightest(clip, *, count=2, weight=1.0):
    """The greatest values of a clip."""
    return weight * np.sort(clip.reshape(-1))[::-1][:count]


@pytest.fixture
def _brightest(monkeypatch):
    monkeypatch.setitem(FEATURES, "brightest", f"{__name__}:brightest")


@pytest.fixture
def clips():
    return np.random.default_rng(0).random((4, 3, 5, 5, 1), dtype=np.float32)


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_documented_and_has_defaults_for_its_arguments(name):
    feature = get_feature(name)
    assert "Returns:" in inspect.getdoc(feature)
    for argument in list(inspect.signature(feature).parameters.values())[1:]:
        assert argument.default is not argument.empty


#: Features of optical flow; the others take gray frames.
OF_FLOW = {
    "bi_woof", "fdm", "fhofo", "flow_length", "hoof", "mbh", "mdmo", "pixels", "plain_flow",
}  # fmt: skip


def clips_for(name):
    """Three clips as a feature takes them: flow images, gray frames, or both."""
    rng = np.random.default_rng(0)
    fields = rng.uniform(0, 255, (3, 12, 12, 3)).astype(np.float32)
    frames = rng.random((3, 10, 48, 48, 1), dtype=np.float32)
    if name in SEVERAL_INPUTS:
        return fields, frames
    return fields if name in OF_FLOW else frames


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_gives_one_vector_a_clip(name):
    clips = clips_for(name)
    before = copy.deepcopy(clips)
    vectors = extract(name, clips, {})
    assert vectors.dtype == np.float32
    for clip, vector in zip(
        zip(*clips, strict=True) if name in SEVERAL_INPUTS else clips, vectors, strict=True
    ):
        np.testing.assert_array_equal(vector, get_feature(name)(clip))
    np.testing.assert_equal(clips, before)


@pytest.mark.usefixtures("_brightest")
def test_a_new_feature_is_a_function_and_one_line(clips):
    vectors = extract("brightest", clips, {"count": 3, "weight": 2.0})
    expected = []
    for clip in clips:
        values = sorted((float(value) for value in clip.flat), reverse=True)
        expected.append([2.0 * value for value in values[:3]])
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)
    assert vectors.dtype == np.float32


@pytest.mark.usefixtures("_brightest")
def test_clips_of_different_lengths_give_vectors_of_one_length(clips):
    lengths = [clips[0], clips[1, :2], clips[2, :1]]
    vectors = extract("brightest", lengths, {})
    assert vectors.shape == (3, 2)
    np.testing.assert_array_equal(vectors[1], brightest(clips[1, :2]))


def test_vectors_of_different_lengths_name_the_clip(clips):
    lengths = [clips[0], clips[1], clips[2, :2]]
    with pytest.raises(ConfigError, match=r"50 values for clip 3 of 3, 75 for the first.*'whole'"):
        extract("pixels", lengths, {})


def test_a_clip_that_has_no_feature_is_named(clips):
    longer = np.random.default_rng(0).random((10, 20, 20, 1), dtype=np.float32)
    with pytest.raises(ConfigError, match="clip 2 of 2: feature lbp_top: 3x5x5 voxels"):
        extract("lbp_top", [longer, clips[0]], {})


def test_an_unknown_feature_is_told_with_the_nearest_one(clips):
    with pytest.raises(ConfigError, match=r"no feature 'pixel' \(did you mean 'pixels'\?\); known"):
        extract("pixel", clips, {})


@pytest.mark.usefixtures("_brightest")
def test_an_unknown_argument_is_told_with_the_nearest_one(clips):
    with pytest.raises(ConfigError, match=r"no argument 'counts' \(did you mean 'count'\?\)"):
        extract("brightest", clips, {"counts": 1})
    with pytest.raises(ConfigError, match=r"'pixels' has no argument 'size'; known: none"):
        extract("pixels", clips, {"size": 1})


@pytest.mark.parametrize("none", [np.empty((0, 3, 5, 5, 1), np.float32), []])
def test_no_clips_give_no_vectors(none):
    assert extract("pixels", none, {}).shape[0] == 0


def test_no_feature_is_imported_before_it_is_needed():
    code = (
        f"import sys, {registry.__name__}; "
        "print([m for m in sys.modules if m.startswith('mer_keras.features.')], "
        "{'cv2', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert printed.strip() == "['mer_keras.features.registry'] set()"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("hoof", {"bins": 0}),
        ("hoof", {"bins": "8"}),
        ("mbh", {"blocks": 3}),
        ("fdm", {"blocks": 1.5}),
    ],
)
def test_a_value_that_a_feature_cannot_use_is_named(name, arguments):
    field = np.ones((1, 24, 24, 3), "float32")
    (key,) = arguments
    with pytest.raises(ConfigError, match=f"{name}|{key}"):
        extract(name, field, arguments)
