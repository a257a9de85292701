"""Clips are explained by networks that were not trained on them."""

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.errors import UserError
from mer_keras.explanation import tested
from mer_keras.runs.run import run_experiment
from mer_keras.runs.units import units_of
from mer_keras.training.trainer import Trainer
from tests.runs.small import small, write_database

#: Attention and Grad-CAM of one network; baselines have nothing to explain.
CHANGES = ("baselines=[majority]", "train.plateau=null", "train.early_stopping=null")
SHAPE = (28, 28, 3)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A folder of databases with a small SAMM, and a cache."""
    root = tmp_path_factory.mktemp("explained")
    for name in ("data", "cache"):
        (root / name).mkdir()
    write_database(root / "data")
    return root


@pytest.fixture
def few(database, tmp_path, monkeypatch):
    """The small SAMM is the user's database, and results are this test's own."""
    monkeypatch.setenv("MER_DATA", str(database / "data"))
    monkeypatch.setenv("MER_CACHE", str(database / "cache"))
    monkeypatch.setenv("MER_RESULTS", str(tmp_path / "results"))


@pytest.fixture
def fits(monkeypatch):
    """The clips of each fit."""
    clips_of_fits = []
    real = Trainer.fit

    def spy(self, x, *rest, **options):
        clips_of_fits.append(np.array(x))
        return real(self, x, *rest, **options)

    monkeypatch.setattr(Trainer, "fit", spy)
    return clips_of_fits


def explain(*changes, **options):
    return tested.explain(small(*CHANGES, *changes), profile="quick", data="real", **options)


@pytest.mark.slow
def test_each_clip_by_the_fold_that_tests_it(few, fits):
    explanation = explain()
    clips = explanation.explained
    assert [clip.label for clip in clips] == ["positive", "negative", "surprise"]
    assert {clip.row for clip in clips} == {"Proposed ConvLSTM"}
    assert explanation.data_kind == "synthetic"
    # A network is trained for each fold that tests one of the clips, and saw none of its own.
    unseen = [
        [clip.sample_id for clip in clips if not any(np.array_equal(clip.clip, t) for t in trained)]
        for trained in fits
    ]
    assert all(unseen)
    assert {sample for of_fold in unseen for sample in of_fold} == {c.sample_id for c in clips}
    for clip in clips:
        assert clip.clip.shape == SHAPE
        assert clip.heat.shape == SHAPE[:-1]
        assert clip.as_stored is None
    # Weights lie in the run folder now: nothing is trained again, and the same comes out.
    count = len(fits)
    again = explain()
    assert len(fits) == count
    for clip, other in zip(clips, again.explained, strict=True):
        np.testing.assert_allclose(clip.heat, other.heat, atol=1e-4)
        assert clip.predicted == other.predicted


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sequential", "vectorised"])
def test_a_run_and_its_explanation_agree(few, engine):
    change = f"train.engine={engine}"
    folder = run_experiment(small(*CHANGES, change), profile="quick", data="real")
    explanation = explain(change)
    assert explanation.run_id == folder.run_id
    assert [clip.as_stored for clip in explanation.explained] == [True] * 3
    (units,) = [u for key, u in units_of(folder.manifest(), folder.folds()).items() if "pro" in key]
    predicted = folder.predictions(units).set_index("sample_id")["predicted"]
    assert [clip.predicted for clip in explanation.explained] == [
        predicted[clip.sample_id] for clip in explanation.explained
    ]


def test_only_networks_of_one_input_can_be_explained(few):
    classical = "{title: svm, classical: {classifier: linear_svm}}"
    with pytest.raises(UserError, match=r"no row 'Proposed ConvLSTM' with a network of one input"):
        explain(f"methods.svm={classical}", "rows.0.method=svm", rows=["Proposed ConvLSTM"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rows": ["Proposed ConvLSTN"]}, "did you mean 'Proposed ConvLSTM'"),
        ({"samples": ["samm/006/nothing"]}, "tests no clip 'samm/006/nothing'"),
    ],
)
def test_the_users_mistakes(few, options, complaint):
    with pytest.raises(UserError, match=complaint):
        explain(**options)
