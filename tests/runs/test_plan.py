"""A plan prints what deviates in the real table: no count is silently another one."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mer_keras.config.files import load_experiments
from mer_keras.config.inputs import Clip, Magnification
from mer_keras.runs import expectation, plan_reader
from mer_keras.runs.context import load_inputs
from mer_keras.runs.loading_memory import loading_bytes
from mer_keras.runs.plan import describe_plan
from mer_keras.runs.samples import load_samples
from tests.databases.trees import write_xlsx

CONFIG = """
name: small
paper: {title: A small table, authors: Nobody, venue: nowhere, year: 2026}
table: Table 1
caption: Five objective classes of CASME II
data: {database: casme2, labels: objective5}
inputs: {clips: {kind: frames, frames: 1, size: 12, sampling: apex}}
protocol: {name: subject_kfold, k: 3}
selection: last_epoch
train: {optimizer: {learning_rate: 0.1}, epochs: 1, batch_size: 4}
rows:
  - {name: Linear SVM, method: linear_svm}
profiles: {full: {}, quick: {}}
"""
HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units"]
HEADER += ["Estimated Emotion", "Objective Classes"]


@pytest.fixture
def casme2(places):
    """The edition of 2019 with 15 clips, one of which stands twice."""
    root, rng = places / "data" / "CASME2", np.random.default_rng(0)
    rows = []
    for subject in (1, 2, 3):
        for number in range(1, 6):
            clip = f"EP{number:02d}_01"
            rows.append([subject, clip, 10, 11, 12, 4, "others", number])
            folder = root / "Cropped" / f"sub{subject:02d}" / clip
            folder.mkdir(parents=True)
            for frame in (10, 11, 12):
                picture = rng.integers(0, 256, (12, 12), np.uint8)
                cv2.imwrite(str(folder / f"reg_img{frame}.bmp"), picture)
    copied = root / "Cropped" / "sub01" / "EP01_01"
    for picture in copied.iterdir():
        (root / "Cropped" / "sub03" / "EP05_01" / picture.name).write_bytes(picture.read_bytes())
    write_xlsx(root / "CASME2-coding-20190701.xlsx", [HEADER, *rows])
    return root


def test_other_counts_other_sources_and_content_twice_are_notes(casme2, tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(CONFIG)
    (config,) = load_experiments(str(file))
    notes = describe_plan(config, "real")["notes"]
    for words in (
        "casme2: other counts than printed: disgust 0 (printed: 63)",
        "its own objective classes are used",
        "objective5, casme2: clips a class differ from the published ones: happiness 3",
        "casme2/sub01/EP01_01 = casme2/sub03/EP05_01",
    ):
        assert any(words in note for note in notes), words


INPUTS = [
    "inputs.whole={kind: frames, size: 12, sampling: whole}",
    "inputs.motion={kind: flow, size: 12, flow: {method: farneback, compute_size: 16}}",
]


def test_a_plan_without_time_to_read_says_what_it_did_not_see(casme2, tmp_path, monkeypatch):
    file = tmp_path / "small.yaml"
    file.write_text(CONFIG)
    rows = (
        "rows=[{name: Linear SVM, method: linear_svm}, "
        "{name: LBP-TOP, method: lbp_top, input: whole}, "
        "{name: Plain flow, method: plain_flow, input: motion}]"
    )
    (config,) = load_experiments(str(file), overrides=[*INPUTS, rows])
    titles = []
    read = describe_plan(config, "real", lambda title, *_: titles.append(title))
    assert {"input clips", "input whole", "input motion"} <= set(titles)

    monkeypatch.setattr(plan_reader, "READING_SECONDS", 0)
    estimated = describe_plan(config, "real")
    for said in ("n_samples", "folds", "folds_digest", "steps", "clips_mib", "disk_mib"):
        assert estimated[said] == read[said], said
    repeated = {note for note in read["notes"] if "EP01_01 = casme2" in note}
    assert repeated and repeated == set(read["notes"]) - set(estimated["notes"])
    (unread,) = set(estimated["notes"]) - set(read["notes"])
    assert "for input clips, whole, motion: sizes and folds are estimated" in unread

    monkeypatch.setitem(expectation.FLOW_SECONDS, "farneback", 1e6)
    assert describe_plan(config, "real")["estimated_seconds"] > 10**5


def test_clips_that_are_not_read_have_the_shapes_of_those_that_are(casme2, tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(CONFIG)
    (config,) = load_experiments(str(file), overrides=INPUTS)
    samples = load_samples(config.data, "real")
    samples.table.loc[3, "offset"] = 11
    samples.table.loc[5, "onset"] = pd.NA
    policies = config.data.policies
    _, read = load_inputs(samples, config.inputs, policies, None)
    reader = plan_reader.PlanReader(seconds=0)
    kept, unread = reader(samples, config.inputs, policies, None)
    assert kept is samples and reader.unread == dict.fromkeys(config.inputs, len(samples.table) - 1)
    for name, clips in read.items():
        shapes = [clip.shape for clip in clips.arrays]
        assert [clip.shape for clip in unread[name].arrays] == shapes
        assert (unread[name].sample_ids, unread[name].flow) == (clips.sample_ids, clips.flow)
    assert {clip.shape[0] for clip in unread["whole"].arrays} == {2, 3}


def test_clips_that_one_input_could_not_load_are_left_out_of_those_that_are_not_read(
    casme2, tmp_path, monkeypatch
):
    file = tmp_path / "small.yaml"
    file.write_text(CONFIG)
    (config,) = load_experiments(str(file), overrides=INPUTS)
    samples = load_samples(config.data, "real")
    (Path(samples.table.loc[2, "path"]) / "reg_img11.bmp").write_bytes(b"")
    real = plan_reader.load_inputs

    def slow_flow(samples, recipes, policies, progress):
        loaded = real(samples, recipes, policies, None)
        clips = len(samples.table)
        progress("input", 1 if "motion" in recipes else clips, clips)
        return loaded

    monkeypatch.setattr(plan_reader, "load_inputs", slow_flow)
    reader = plan_reader.PlanReader(seconds=0)
    recipes = {name: config.inputs[name] for name in ("motion", "clips")}
    kept, clips = reader(samples, recipes, config.data.policies, None)
    assert list(reader.unread) == ["motion"]
    assert len(kept.table) == len(samples.table) - 1 == len(clips["motion"].arrays)
    assert clips["motion"].sample_ids == clips["clips"].sample_ids


def test_the_memory_of_loading_is_that_of_the_frames_which_each_thread_holds(tmp_path, monkeypatch):
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(1, 8):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((30, 40), np.uint8))
    marks = {"database": "demo", "path": str(folder), "onset": 1, "offset": 7}
    table = pd.DataFrame([marks, {**marks, "offset": 3}, marks | {"onset": pd.NA}])
    table = table.astype({"onset": "Int64", "offset": "Int64"})
    band = {"alpha": 5, "low": 1, "high": 2}
    whole_frames = Magnification(**band, before_crop=True)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for changes, frames, value_bytes in (
        ({"frames": 1, "sampling": "apex"}, 1, 0),
        ({"frames": 9}, 7, 0),
        ({"sampling": "whole"}, 7, 0),
        ({"frames": 1, "sampling": "apex", "magnification": Magnification(**band)}, 7, 0),
        ({"frames": 1, "sampling": "apex", "magnification": whole_frames, "channels": 3}, 21, 36),
        ({"kind": "flow"}, 2, 0),
    ):
        recipe = Clip(**{"kind": "frames", "size": 10, **changes})
        assert loading_bytes(recipe, table) == 2 * 30 * 40 * (frames + value_bytes)
    assert loading_bytes(Clip(kind="flow_image", size=28), table) == 0
