"""A plan prints what deviates in the real table: no count is silently another one."""

import cv2
import numpy as np
import pytest

from mer_keras.config.files import load_experiments
from mer_keras.runs.plan import describe_plan
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
