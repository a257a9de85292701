"""Clips are explained by networks that were not trained on them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.config.files import load_config
from mer_keras.errors import UserError
from mer_keras.explanation import tested
from mer_keras.runs import prepare as prepare_room
from mer_keras.runs.run import run_experiment
from mer_keras.synthetic import stand_ins
from mer_keras.training.trainer import Trainer

TABLE1 = Path(__file__).parents[2] / "experiments/shallow_convlstm/table1.yaml"
CONFIG = load_config(
    TABLE1,
    profile="quick",
    overrides=[
        "data.clip.size=12",
        "data.clip.frames=3",
        "train.epochs=1",
        "protocol.k=3",
        "train.inner_fraction=0.3",
    ],
)


@pytest.fixture
def few(places, monkeypatch):
    """A small synthetic SAMM in the place of the whole one."""
    write = stand_ins.ensure

    def ensure(name, options, progress=None):
        return write(name, stand_ins.StandInOptions(size=24, motion=options.motion), progress)

    monkeypatch.setattr(prepare_room.stand_ins, "ensure", ensure)


@pytest.fixture
def fits(monkeypatch):
    """Ids of the clips of each fit, by their arrays."""
    seen = []
    real = Trainer.fit_predict

    def spy(self, data, *more):
        seen.append(data)
        return real(self, data, *more)

    monkeypatch.setattr(Trainer, "fit_predict", spy)
    return seen


def explain(**options):
    return tested.explain(CONFIG, profile="quick", data="synthetic", **options)


@pytest.mark.slow
def test_each_clip_by_the_fold_that_tests_it(few, fits):
    found = explain()
    assert [one.label for one in found.explained] == ["positive", "negative", "surprise"]
    assert found.data_kind == "synthetic"
    for one in found.explained:
        assert one.heat.shape == one.clip.shape[:-1] == (3, 12, 12)
        assert one.as_stored is None
        # the clip itself, pixel by pixel, is in no training set of the fold that explains it
        by = [d for d in fits if any(np.array_equal(one.clip, t) for t in d.x_test)]
        assert len(by) == 1
        assert not any(np.array_equal(one.clip, t) for t in by[0].x_train)
    # weights lie in the run folder now: nothing is trained again, and the same is found
    count = len(fits)
    again = explain()
    assert len(fits) == count
    for one, other in zip(found.explained, again.explained, strict=True):
        np.testing.assert_allclose(one.heat, other.heat, atol=1e-4)
        assert one.predicted == other.predicted


@pytest.mark.slow
def test_a_run_and_its_explanation_agree(few):
    run = run_experiment(CONFIG, profile="quick", data="synthetic")
    found = explain()
    assert found.run_id == run.run_id
    assert [one.as_stored for one in found.explained] == [True] * 3


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
