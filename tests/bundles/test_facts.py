"""What a bundle says of its training clips and of the terms of their data."""

import pandas as pd
import pytest

from mer_keras.bundles.facts import footage_of, terms_of
from mer_keras.terms import DataKind


def table(**columns):
    frame = pd.DataFrame(columns)
    return frame.astype({"fps": "Float64", "onset": "Int64", "offset": "Int64"})


def test_lengths_are_of_clips_whose_marks_are_known():
    footage = footage_of(
        table(fps=[100, 200, None, 50], onset=[1, 11, 5, None], offset=[50, 30, 9, 20])
    )
    assert (footage.fps.least, footage.fps.median, footage.fps.greatest) == (50, 100, 200)
    assert (footage.frames.least, footage.frames.median, footage.frames.greatest) == (5, 20, 50)
    assert (footage.seconds.least, footage.seconds.greatest) == (20 / 200, 50 / 100)
    assert footage.eye_distance_px is None


def test_nothing_is_said_where_nothing_is_known():
    footage = footage_of(table(fps=[None], onset=[None], offset=[None]))
    assert footage.fps is footage.seconds is footage.frames is None


@pytest.mark.parametrize("kind", DataKind)
def test_each_kind_of_data_has_its_terms(kind):
    terms = terms_of(("samm", "mine"), kind, holds_clips=False)
    assert "SAMM" in terms.data
    assert "mine" in terms.data
    others = {terms_of(("samm",), other, holds_clips=False).redistribution for other in DataKind}
    assert len(others) == len(DataKind)
    with_clips = terms_of(("samm", "mine"), kind, holds_clips=True).redistribution
    assert ("features of training clips" in with_clips) == (kind is not DataKind.SYNTHETIC)
    assert "Not for lie detection" in terms.use
