"""What users call from Python."""

import pytest

import mer_keras
from mer_keras.bundles import loading
from mer_keras.errors import AnnotationError, UserError
from mer_keras.video.options import SpotOptions
from tests.prediction.small import SmallBundle, write_frames


@pytest.fixture
def bundle(monkeypatch):
    monkeypatch.setattr(loading, "load_bundle", lambda path, expect=None: SmallBundle())
    return mer_keras.load_bundle("any.mer")


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return write_frames(tmp_path_factory.mktemp("interface") / "talk", 40)


CENTRE = {"fps": 100.0, "spotting": SpotOptions(crop="centre")}


def test_predict_returns_what_result_json_holds(bundle, frames):
    prediction = bundle.predict(str(frames), intervals=[(3, 8, 20), (21, None, 38)], **CENTRE)
    assert [interval.decision for interval in prediction.intervals] == ["positive", "positive"]
    assert prediction.model.bundle_sha256 == bundle.digest
    assert bundle.classes == prediction.model.classes
    assert bundle.card.title == prediction.model.title


def test_a_pair_of_images(bundle, frames):
    images = [frames / "frame000.png", frames / "frame020.png"]
    (interval,) = bundle.predict(images, spotting=CENTRE["spotting"]).intervals
    assert interval.origin == "whole"


def test_bad_calls(bundle, frames):
    with pytest.raises(AnnotationError, match=r"interval 2: onset 9, apex -, offset 9"):
        bundle.predict(frames, intervals=[(0, None, 8), (9, None, 9)], **CENTRE)
    write_frames(frames.parent / "other", 2)
    with pytest.raises(UserError, match="2 recordings: name one of them"):
        bundle.predict(frames.parent)
