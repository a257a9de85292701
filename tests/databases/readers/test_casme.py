"""CASME: its coding table as releases write it, with two apex columns and bare subject numbers."""

import pytest

from mer_keras.databases import registry
from mer_keras.errors import AnnotationError
from mer_keras.synthetic.casme import WRONG_OFFSETS
from mer_keras.synthetic.stand_ins import LAYOUTS
from tests.databases.trees import touch, write_xlsx

HEADER = [
    "Subject",
    "Filename",
    None,
    "OnsetF",
    "ApexF1",
    "ApexF2",
    "OffsetF",
    None,
    "AU",
    "Emotion",
]
ROWS = [
    [1, "EP01_12", None, 73, 81, "\\", 91, None, "4+9", "disgust"],
    ["sub02", "EP03_1", None, 20, 27, 28, 40, None, 12, "Happiness"],
]


@pytest.fixture
def tree(tmp_path):
    """Write CASME's tree and return its root; rows, folders and names may be replaced."""

    def write(rows=ROWS, *, header=HEADER, name="CASME.xlsx", folder="Cropped", prefix="reg_"):
        root = tmp_path / "CASME"
        write_xlsx(root / name, [header, *rows])
        for subject, clip, _, onset, *_ in ROWS:
            person = f"sub{int(str(subject).removeprefix('sub')):02d}"
            touch(root / folder / person / clip / f"{prefix}{clip}-{onset}.jpg")
        return root

    return write


def test_rows_as_the_table_has_them(tree):
    root = tree()
    table = registry.load("casme", root).table.set_index("sample_id")
    first, second = table.loc["casme/sub01/EP01_12"], table.loc["casme/sub02/EP03_1"]
    assert (first["onset"], first["apex"], first["offset"], first["fps"]) == (73, 81, 91, 60)
    assert (second["emotion"], second["action_units"]) == ("happiness", "12")
    assert first["path"] == str((root / "Cropped" / "sub01" / "EP01_12").absolute())


@pytest.mark.parametrize("name", ["CASME.xlsx", "CASME-coded-20190721.xlsx"])
@pytest.mark.parametrize(
    ("folder", "frame_source"), [("Cropped", "cropped"), ("CASME_raw_selected", "raw")]
)
def test_editions_and_kinds_of_frames(tree, name, folder, frame_source):
    root = tree(name=name, folder=folder)
    samples = registry.load("casme", root, frame_source=frame_source)
    assert samples.editions == (f"{name}, {folder}",)
    assert len(samples.table) == 2


def test_other_headers(tree):
    header = [
        *HEADER[:3],
        "OnsetFrame",
        "ApexF",
        None,
        "OffsetFrame",
        None,
        "AUs",
        "Estimated Emotion",
    ]
    assert len(registry.load("casme", tree(header=header)).table) == 2


@pytest.mark.parametrize("subject", ["x", 0, 100, None])
def test_a_subject_that_is_no_number(tree, subject):
    rows = [[subject, *ROWS[0][1:]], ROWS[1]]
    with pytest.raises(AnnotationError, match="row 2, column 'Subject'"):
        registry.load("casme", tree(rows))


def test_a_table_in_the_old_format_is_named_with_the_way_out(tree):
    root = tree()
    (root / "CASME.xlsx").rename(root / "CASME-coded-20190721.xls")
    with pytest.raises(AnnotationError, match=r"found CASME-coded-20190721\.xls; open it"):
        registry.load("casme", root)


@pytest.mark.slow
def test_offsets_beyond_the_frames_are_taken_as_they_stand(sketched):
    """Which rows they are is public by row number alone, so nothing corrects them."""
    table = registry.load("casme", sketched("casme")).table.set_index("sample_id")
    clips = [clip for clip in LAYOUTS["casme"].draw_clips(0) if "OffsetF" in clip.cells]
    assert len(clips) == WRONG_OFFSETS
    for clip in clips:
        row = table.loc[f"casme/{clip.subject}/{clip.name}"]
        assert row["offset"] == clip.offset + 4 and not row["corrected"]
