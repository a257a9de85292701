"""Tiny trees in the official layouts, written with openpyxl."""

import numpy as np
import pytest

from mer_keras.synthetic import rendering, stand_ins
from tests.databases.trees import touch, write_xlsx

SAMM_TEXT = [[f"Line {n} of the text above the table"] for n in range(1, 14)]
SAMM_HEADER = (
    "Subject,Filename,Inducement Code,Onset Frame,Apex Frame,Offset Frame,Duration,Micro,"
    "Action Units,Estimated Emotion,Objective Classes,Notes"
)
SAMM_ROWS = [
    ["006", "006_1_2", 1, 562, 588, 600, 39, "Micro - 1/2", "R14+17", "Anger", 3, None],
    ["006", "006_1_3", 1, 701, 720, 740, 40, "Micro - 1/2", "6+12", "Happiness", 1, None],
    ["007", "007_3_1", 3, 11, 20, 40, 30, "Micro - 1/2", 4, "Other", 7, "soft focus"],
]
MMEW_HEADER = (
    "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Estimated Emotion,remarks"
)
MMEW_ROWS = [
    [1, "S01-01-001", 1, 4, 9, "6+12", "happiness", None],
    [1, "S01-02-001", 1, 5, 8, "1+2", "surprise", None],
    [13, "S13-07-001", 2, 3, 7, "4", "others", None],
]


@pytest.fixture
def xlsx(tmp_path):
    """Write rows to an .xlsx file and return its path."""

    def write(rows, name="table.xlsx", **options):
        return write_xlsx(tmp_path / name, rows, **options)

    return write


@pytest.fixture
def samm_tree(tmp_path):
    """Write a SAMM tree and return its root; rows and workbook's name may be replaced."""

    def write(
        rows=SAMM_ROWS, *, header=SAMM_HEADER, name="SAMM_Micro_FACS_Codes_v2.xlsx", text=SAMM_TEXT
    ):
        root = tmp_path / "SAMM"
        write_xlsx(root / name, [*text, header.split(","), *rows], sheet="MICRO_ONLY")
        for subject, clip, _, onset, *_ in SAMM_ROWS:
            touch(root / subject / clip / f"{subject}_{onset:05d}.jpg")
        return root

    return write


@pytest.fixture
def mmew_tree(tmp_path):
    """Write an MMEW tree and return its root; see ``samm_tree``."""

    def write(rows=MMEW_ROWS, *, header=MMEW_HEADER, folder="MMEW", rest="others", within="."):
        root = tmp_path / folder
        write_xlsx(root / "MMEW_Micro_Exp.xlsx", [header.split(","), *rows])
        for _, clip, *_, emotion, _ in MMEW_ROWS:
            folder_name = rest if emotion == "others" else emotion
            for frame in ("1.jpg", "2.jpg"):
                touch(root / within / "Micro_Expression" / folder_name / clip / frame)
        return root

    return write


@pytest.fixture
def flow_tree(tmp_path):
    """Write a tree of the optical-flow set and return its root."""

    def write(
        rows=(
            "casme2,sub01,EP02_01f,positive,images/a.png",
            "samm,006,006_1_2,negative,images/b.png",
            "smic,s01,s01_sur_01,surprise,images/c.png",
        ),
        *,
        header="database,subject,clip,emotion,image",
        end="\n",
    ):
        root = tmp_path / "megc2019_flow"
        for image in ("a.png", "b.png", "c.png"):
            touch(root / "images" / image)
        (root / "samples.csv").write_bytes((end.join([header, *rows]) + end).encode())
        return root

    return write


def replaced(rows, index: int, column: int, value):
    """Return a copy of rows with one cell replaced."""
    copy = [list(row) for row in rows]
    copy[index][column] = value
    return copy


@pytest.fixture
def samm_with():
    """Return SAMM's rows with one cell replaced."""
    return lambda index, column, value: replaced(SAMM_ROWS, index, column, value)


@pytest.fixture
def mmew_with():
    """Return MMEW's rows with one cell replaced."""
    return lambda index, column, value: replaced(MMEW_ROWS, index, column, value)


@pytest.fixture(scope="session")
def sketched(tmp_path_factory):
    """Write whole stand-ins with two blank frames a clip, each once, and return their roots.

    Everything is as in the real thing but the pictures: readers look at names only.
    """

    def render(layout, clip, _options, root):
        if root is None:  # These go into the table: two clips of one index are one picture.
            rng = np.random.default_rng(clip.index)
            return clip, rng.integers(0, 256, (1, layout.size, layout.size), np.uint8)
        for number in (clip.frame_numbers[0], clip.frame_numbers[-1]):
            touch(root / layout.frame_path(clip, number))
        return clip, None

    roots = {}

    def write(name):
        if name not in roots:
            root = tmp_path_factory.mktemp(name) / stand_ins.get_layout(name).folder
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(rendering, "_render_clip", render)
                stand_ins.write(name, root)
            roots[name] = root
        return roots[name]

    return write
