"""A network that is broken on purpose doesn't find the drawn motion; whole, it does."""

import numpy as np
import pytest

pytest.importorskip("keras")
from mer_keras.config.files import load_config
from mer_keras.evaluation.pipeline_check import MotionCheck
from mer_keras.models import shallow_attention
from mer_keras.report.drawn_motion import checked_rows
from mer_keras.report.view import read_view
from mer_keras.runs import context as context_room
from mer_keras.runs.run import run_experiment
from tests.runs.small import TABLE1

pytestmark = pytest.mark.slow

#: A small network that learns from frames in seconds, on drawn clips of three classes.
CHANGES = [
    "inputs.clips={kind: frames, frames: 5, size: 24, sampling: around_apex}",
    "data.synthetic_strength=4",
    "protocol.k=2",
    "train.epochs=14",
    "rows.0.method=shallow_attention_conv2d",
    "rows.0.arguments={}",
    "rows.1.runs=false",
    "rows.2.runs=false",
    "baselines=[]",
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Caches and results that the tests of this file share."""
    root = tmp_path_factory.mktemp("broken")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CACHE", "RESULTS"):
            patch.setenv(f"MER_{name}", str(root / name.lower()))
        yield root


def check(*changes):
    """Run the small network and say whether it found the drawn motion."""
    config = load_config(TABLE1, profile="quick", overrides=[*CHANGES, *changes])
    folder = run_experiment(config, profile="quick", data="synthetic")
    rows = checked_rows(config, read_view(folder.path))
    assert len(rows) == 1
    return rows[0].check


def test_a_whole_network_finds_the_motion(drawn):
    assert check() is MotionCheck.FOUND


def test_no_motion_is_found_where_there_is_none(drawn):
    assert check("data.synthetic_motion=false") is MotionCheck.NOT_FOUND


def test_frozen_layers_find_nothing(drawn, monkeypatch):
    build = shallow_attention.build

    def frozen(*shape, **arguments):
        network = build(*shape, **arguments)
        for layer in network.layers:
            layer.trainable = False
        return network

    monkeypatch.setattr(shallow_attention, "build", frozen)
    assert check("seeds=[1]") is MotionCheck.NOT_FOUND


def test_shuffled_labels_find_nothing(drawn, monkeypatch):
    labels = context_room.RunContext.labels.func

    def shuffled(context):
        return np.random.default_rng(0).permutation(labels(context))

    monkeypatch.setattr(context_room.RunContext, "labels", property(shuffled))
    assert check("seeds=[2]") is MotionCheck.NOT_FOUND


def test_onset_frames_alone_show_nothing(drawn, monkeypatch):
    load_clips = context_room.load_clips

    def onsets(*arguments, **options):
        clips = load_clips(*arguments, **options)
        clips.arrays[:] = clips.arrays[:, :1]  # (clips, frames, height, width, channels)
        return clips

    monkeypatch.setattr(context_room, "load_clips", onsets)
    assert check("seeds=[3]") is MotionCheck.NOT_FOUND
