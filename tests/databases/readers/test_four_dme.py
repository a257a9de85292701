"""4DME: a table and clips that are found by their names; nothing of it is verified."""

import pytest

from mer_keras.databases import registry
from tests.databases.trees import touch, write_xlsx

HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Emotion"]


@pytest.mark.parametrize("tree", ["gray/{subject}/{clip}", "{clip}", "micro/gray/{clip}"])
def test_clips_are_found_wherever_they_stand(tmp_path, tree):
    rows = [["P1", "P1_01", 1, 3, 9, "4", "negative"], ["P2", "P2_01", 1, 3, 9, "12", "positive"]]
    write_xlsx(tmp_path / "4DME_labels.xlsx", [HEADER, *rows])
    for subject, clip, *_ in rows:
        touch(tmp_path / tree.format(subject=subject, clip=clip) / "1.jpg")
    samples = registry.load("four_dme", tmp_path)
    assert samples.ids == ["four_dme/P1/P1_01", "four_dme/P2/P2_01"]
    assert set(samples.table["fps"]) == {60.0}
    assert any("unverified" in line for line in samples.warnings)


def test_of_clips_of_one_name_each_subject_has_its_own(tmp_path):
    rows = [[subject, "01", 1, 3, 9, "4", "negative"] for subject in ("P1", "P2")]
    write_xlsx(tmp_path / "4DME_labels.xlsx", [HEADER, *rows])
    for subject in ("P1", "P2"):
        touch(tmp_path / subject / "01" / "1.jpg")
    table = registry.load("four_dme", tmp_path).table
    assert [path.split("/")[-2] for path in table["path"]] == ["P1", "P2"]
