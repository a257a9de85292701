"""Clips of different lengths, each as long as it is, through a classical method in a run."""

import numpy as np
import pytest
import yaml

from mer_keras.config.files import load_config
from mer_keras.errors import ConfigError
from mer_keras.features import registry
from mer_keras.runs.context import compose
from mer_keras.runs.run import run_experiment
from mer_keras.runs.units import units_of

EXPERIMENT = {
    "name": "whole",
    "paper": {"title": "t", "authors": "a", "venue": "v", "year": 2020},
    "table": "Table 1",
    "caption": "c",
    "data": {"database": "samm", "labels": "samm3", "synthetic_clips": 16},
    "inputs": {
        "clips": {"kind": "frames", "frames": 1, "size": 12, "sampling": "apex"},
        "whole": {"kind": "frames", "size": 12, "sampling": "whole"},
    },
    "protocol": {"name": "subject_kfold", "k": 2},
    "selection": "last_epoch",
    "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 1, "batch_size": 4},
    "methods": {
        "mean_frame": {
            "title": "mean frame",
            "input": "whole",
            "classical": {"feature": "mean_frame", "classifier": "linear_svm"},
        }
    },
    "rows": [{"name": "whole clips", "method": "mean_frame"}],
    "baselines": ["majority"],
    "profiles": {"full": {}},
}
LENGTHS = []


def mean_frame(clip):
    """Mean of all frames, whatever their number."""
    LENGTHS.append(len(clip))
    return clip.mean(axis=0).reshape(-1)


@pytest.fixture
def load(places, monkeypatch):
    """Return a function that loads the experiment with overrides."""
    monkeypatch.setitem(registry.FEATURES, "mean_frame", f"{__name__}:mean_frame")
    file = places / "whole.yaml"
    file.write_text(yaml.safe_dump(EXPERIMENT))
    return lambda *overrides: load_config(file, overrides=overrides)


def test_clips_of_different_lengths_are_a_row_like_any(load):
    LENGTHS.clear()
    folder = run_experiment(load(), profile="full", data="synthetic")
    of_rows = units_of(folder.manifest(), folder.folds())
    assert list(of_rows) == ["whole-clips", "baseline-majority"]
    tables = [folder.predictions(units).sort_values("sample_id") for units in of_rows.values()]
    assert list(tables[0]["sample_id"]) == list(tables[1]["sample_id"])
    assert len(LENGTHS) == len(tables[0]), "each clip's feature is computed once"
    assert len(set(LENGTHS)) > 1
    assert np.isfinite(tables[0].filter(like="prob_").to_numpy()).all()


def test_a_feature_of_one_length_refuses_them(load):
    with pytest.raises(ConfigError, match="clips of one length"):
        run_experiment(
            load("methods.mean_frame.classical.feature=pixels"), profile="full", data="synthetic"
        )


def test_a_network_refuses_them(load):
    pytest.importorskip("keras")
    config = load("rows.0.method=ststnet", "rows.0.input=whole")
    context = compose(config, "full", "synthetic")
    with pytest.raises(ConfigError, match="choose another 'sampling' than 'whole'"):
        context.method(config.plans[0])
