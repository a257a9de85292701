"""Synthetic databases: official layout and counts, determinism, the cache."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from mer_keras.errors import UserError
from mer_keras.synthetic import rendering, stand_ins
from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.faces import displacement
from mer_keras.synthetic.options import GENERATOR_VERSION, StandInOptions
from mer_keras.synthetic.samm import STRAY_APEX
from mer_keras.synthetic.stand_ins import LAYOUTS, ensure, write
from mer_keras.terms import SYNTHETIC_MARKER
from mer_keras.whole_files import draft_folder

pytestmark = pytest.mark.slow

FEW = StandInOptions(size=32, clips=6)
SAMM, MMEW = LAYOUTS["samm"], LAYOUTS["mmew"]
DRAW = {"samm": SAMM.draw_clips, "mmew": MMEW.draw_clips}


def contents(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def table(path, sheet=0):
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_index(sheet).to_python(skip_empty_area=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    base = tmp_path_factory.mktemp("synthetic")
    roots = {}
    for name in DRAW:
        for motion in (True, False):
            roots[name, motion] = base / f"{name}-{motion}"
            write(name, roots[name, motion], replace(FEW, motion=motion))
    return roots


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(tmp_path))
    return tmp_path / "synthetic"


# clips


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "emotions", "people"), [("samm", SAMM.emotions, 29), ("mmew", MMEW.emotions, 36)]
)
def test_counts_are_the_published_ones(name, emotions, people, seed):
    clips = DRAW[name](seed)
    assert Counter(clip.emotion for clip in clips) == emotions
    assert len({clip.subject for clip in clips}) == people
    assert len({clip.name for clip in clips}) == len(clips) == {"samm": 159, "mmew": 300}[name]
    assert sorted(clip.index for clip in clips) == list(range(len(clips)))


def test_samm_objective_classes_are_the_published_ones():
    clips = SAMM.draw_clips(0)
    counts = Counter(clip.objective_class for clip in clips)
    assert [counts[number] for number in range(1, 8)] == [24, 13, 20, 8, 3, 7, 84]
    assert all(clip.objective_class == 7 for clip in clips if clip.emotion in ("contempt", "other"))


@pytest.mark.parametrize("clips", [SAMM.draw_clips(0), MMEW.draw_clips(0)], ids=["samm", "mmew"])
def test_classes_are_spread_over_subjects_unevenly(clips):
    for emotion in {clip.emotion for clip in clips}:
        assert len({clip.subject for clip in clips if clip.emotion == emotion}) >= 5
    sizes = Counter(clip.subject for clip in clips).values()
    assert max(sizes) > 2 * min(sizes)
    subjects = {clip.subject for clip in clips}
    several = [len({c.emotion for c in clips if c.subject == s}) for s in subjects]
    assert np.mean([n >= 2 for n in several]) > 0.9


@pytest.mark.parametrize(
    ("clips", "fps"), [(SAMM.draw_clips(0), 200), (MMEW.draw_clips(0), 90)], ids=["samm", "mmew"]
)
def test_frames_are_in_order_and_clips_last_a_quarter_to_half_a_second(clips, fps):
    for clip in clips:
        assert 0 < clip.onset < clip.apex < clip.offset
        assert 0.24 <= (clip.offset - clip.onset + 1) / fps <= 0.5
        assert len(str(clip.offset)) <= max(clip.digits, 2)


@pytest.mark.parametrize("name", ["samm", "mmew"])
def test_the_peak_displacement_is_one_to_three_pixels_at_90(name):
    for clip in DRAW[name](0)[::10]:
        face = FaceTraits.draw(np.random.default_rng(clip.person))
        field = displacement(clip.action_units, 90, face=face, peak=clip.peak)
        assert 1 <= np.sqrt((field**2).sum(axis=-1)).max() <= 3


def test_clips_depend_on_the_seed():
    assert SAMM.draw_clips(1) == SAMM.draw_clips(1)
    assert SAMM.draw_clips(1) != SAMM.draw_clips(2)


# layout


def test_samm_has_the_official_tree(written):
    root = written["samm", True]
    paths = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.jpg"))
    for path in paths:
        subject, clip, file = path.split("/")
        assert subject in SAMM.subjects and clip.startswith(f"{subject}_")
        assert file.startswith(f"{subject}_")
        assert len(file.removesuffix(".jpg").split("_")[1]) in (4, 5)
    assert len({p.split("/")[1] for p in paths}) == 6
    assert sorted(p.name for p in root.iterdir() if p.is_file()) == [
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        SYNTHETIC_MARKER,
    ]


def test_samm_pads_some_frame_numbers_to_four_digits():
    assert Counter(clip.digits for clip in SAMM.draw_clips(0)) == {5: 153, 4: 6}


def test_samm_table_has_its_header_in_row_14_and_one_row_a_clip(written):
    root = written["samm", True]
    book = CalamineWorkbook.from_path(str(root / "SAMM_Micro_FACS_Codes_v2.xlsx"))
    assert book.sheet_names == ["MICRO_ONLY"]
    rows = table(root / "SAMM_Micro_FACS_Codes_v2.xlsx")
    assert all(row[0] and not any(row[1:]) for row in rows[:13])
    assert rows[13] == [
        "Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame",
        "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes",
    ]  # fmt: skip
    assert len(rows) == 13 + 1 + 6
    for row in rows[14:]:
        subject, clip, code, onset, apex, offset, duration, micro, units, emotion, objective = row[
            :11
        ]
        assert isinstance(subject, str) and subject in SAMM.subjects
        assert clip.startswith(f"{subject}_{int(code)}_")
        assert onset < offset and duration == offset - onset + 1
        assert onset < apex < offset or clip in {name for _, name, *_ in STRAY_APEX}
        assert micro == "Micro - 1/2" and units
        assert emotion.lower() in SAMM.emotions and emotion[0].isupper()
        assert objective in range(1, 8)
        numbers = sorted(int(p.stem.split("_")[1]) for p in (root / subject / clip).iterdir())
        assert numbers == list(range(int(onset), int(offset) + 1))


def test_mmew_has_the_official_tree_and_table(written):
    root = written["mmew", True]
    rows = table(root / "MMEW_Micro_Exp.xlsx")
    assert rows[0] == [
        "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
        "Estimated Emotion", "remarks",
    ]  # fmt: skip
    assert len(rows) == 1 + 6
    for subject, clip, onset, apex, offset, _units, emotion, _remarks in rows[1:]:
        assert clip.startswith(f"{subject}-") and len(clip) == len("S01-01-001")
        assert onset == 1 < apex < offset
        folder = root / "Micro_Expression" / emotion / clip
        assert {p.name for p in folder.iterdir()} == {f"{k}.jpg" for k in range(1, int(offset) + 1)}


def test_frames_are_gray_pictures_of_the_asked_size(written):
    for root in written.values():
        picture = cv2.imread(str(next(root.rglob("*.jpg"))), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (32, 32) and picture.dtype == np.uint8


@pytest.mark.parametrize("motion", [True, False])
@pytest.mark.parametrize("name", ["samm", "mmew"])
def test_the_marker_says_what_it_is_and_nothing_about_the_machine(written, name, motion):
    root = written[name, motion]
    text = (root / SYNTHETIC_MARKER).read_text()
    marker = json.loads(text)
    assert marker["database"] == name and marker["signal"] is motion
    assert marker["seed"] == 0 and marker["size"] == 32
    assert marker["generator_version"] == GENERATOR_VERSION
    assert "drawings" in marker["note"]
    assert str(root.parent) not in text and "/" not in text


# determinism and motion


@pytest.mark.parametrize("name", ["samm", "mmew"])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_cores(
    written, name, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 90_000)  # a workbook carries no date
    write(name, tmp_path / "again", FEW)
    assert contents(tmp_path / "again") == contents(written[name, True])


def test_another_seed_gives_another_database(written, tmp_path):
    write("samm", tmp_path / "other", replace(FEW, seed=1))
    assert not set(contents(tmp_path / "other").values()) & {
        data for path, data in contents(written["samm", True]).items() if path.endswith(".jpg")
    }


def test_a_part_has_the_frames_of_the_whole(written, tmp_path):
    write("mmew", tmp_path / "part", replace(FEW, clips=3))
    part, more = contents(tmp_path / "part"), contents(written["mmew", True])
    shared = [path for path in part if path.endswith(".jpg")]
    assert shared and all(part[path] == more[path] for path in shared)


@pytest.mark.parametrize("name", ["samm", "mmew"])
def test_the_switch_changes_motion_and_nothing_else(written, name):
    on, off = contents(written[name, True]), contents(written[name, False])
    assert set(on) == set(off)
    assert all(on[path] == off[path] for path in on if path.endswith(".xlsx"))
    by_clip = {}
    for path in sorted(p for p in on if p.endswith(".jpg")):
        by_clip.setdefault(path.rsplit("/", 1)[0], []).append(path)
    drawn = {clip.name: clip for clip in DRAW[name](0)}
    for folder, paths in by_clip.items():
        clip = drawn[folder.rsplit("/", 1)[1]]
        paths.sort(key=lambda p: int(p.removesuffix(".jpg").replace("_", "/").rsplit("/", 1)[1]))
        onset, apex = paths[0], paths[clip.apex - clip.onset]
        assert on[onset] == off[onset]
        assert on[apex] != off[apex]


def test_progress_counts_every_clip(tmp_path):
    seen = []
    write("mmew", tmp_path / "m", StandInOptions(size=16, clips=4), lambda *n: seen.append(n))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


# safety


def test_a_folder_that_holds_something_is_never_written_into(tmp_path):
    (tmp_path / "006").mkdir()
    with pytest.raises(UserError, match="not an empty folder"):
        write("samm", tmp_path, FEW)
    assert [p.name for p in tmp_path.iterdir()] == ["006"]


@pytest.mark.parametrize("clips", [0, 160])
def test_an_impossible_number_of_clips_is_an_error(tmp_path, clips):
    with pytest.raises(UserError, match="expected 1 to 159"):
        write("samm", tmp_path / "s", StandInOptions(clips=clips))


def test_the_marker_is_there_before_any_frame(tmp_path, monkeypatch):
    def killed(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(rendering, "_render_clip", killed)
    with pytest.raises(KeyboardInterrupt):
        write("samm", tmp_path / "s", FEW)
    assert [p.name for p in (tmp_path / "s").iterdir()] == [SYNTHETIC_MARKER]


# the cache


def test_ensure_writes_once_and_names_what_it_holds(cache, monkeypatch):
    root = ensure("mmew", StandInOptions(seed=3, size=16, clips=2, motion=False))
    version = GENERATOR_VERSION
    assert root == cache / f"mmew-v{version}-seed3-16px-nosignal-2clips" / "MMEW"
    assert (root / SYNTHETIC_MARKER).is_file()
    monkeypatch.setattr(stand_ins, "write", None)  # a second call would fail if it wrote
    assert ensure("mmew", StandInOptions(seed=3, size=16, clips=2, motion=False)) == root


def test_ensure_leaves_nothing_behind_when_it_fails(cache, monkeypatch):
    def broken(_name, root, *_options):
        root.mkdir(parents=True)
        raise OSError("disk full")

    monkeypatch.setattr(stand_ins, "write", broken)
    with pytest.raises(OSError, match="disk full"):
        ensure("samm", FEW)
    assert list(cache.iterdir()) == []


def test_ensure_writes_a_damaged_database_anew(cache):
    root = ensure("mmew", StandInOptions(size=16, clips=2))
    whole = contents(root)
    (root / "MMEW_Micro_Exp.xlsx").unlink()
    assert contents(ensure("mmew", StandInOptions(size=16, clips=2))) == whole
    assert len(list(cache.iterdir())) == 1


def test_ensure_yields_to_a_faster_process(cache, monkeypatch):
    first = stand_ins.write

    def slow(*arguments):
        first(*arguments)
        monkeypatch.setattr(stand_ins, "write", first)
        ensure("mmew", StandInOptions(size=16, clips=2))  # another process comes in between

    monkeypatch.setattr(stand_ins, "write", slow)
    root = ensure("mmew", StandInOptions(size=16, clips=2))
    assert (root / SYNTHETIC_MARKER).is_file()
    assert len(list(cache.iterdir())) == 1


def test_ensure_removes_only_drafts_that_nobody_writes(cache):
    """Whatever a clock says: it may have jumped."""
    cache.mkdir(parents=True)
    abandoned = cache / ".draft-abandoned"
    abandoned.mkdir()
    (abandoned / ".lock").touch()
    with draft_folder(cache, ".draft-") as draft:
        os.utime(draft, (1, 1))
        ensure("mmew", StandInOptions(size=16, clips=1))
        assert draft.exists()
    assert not abandoned.exists()


def test_ensure_names_the_nearest_database():
    with pytest.raises(UserError, match="did you mean 'samm'"):
        ensure("sam")


def test_asking_for_a_database_imports_no_opencv():
    code = (
        "import sys, mer_keras.synthetic.stand_ins; "
        "sys.exit(any(m in sys.modules for m in ('cv2', 'openpyxl', 'tensorflow', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# whole databases


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("samm", 10_000), ("mmew", 8_000)])
def test_a_whole_database(tmp_path, name, least):
    write(name, tmp_path / name)
    assert sum(1 for _ in (tmp_path / name).rglob("*.jpg")) > least


@pytest.mark.slow
def test_a_linear_svm_finds_the_motion_and_nothing_else(tmp_path):
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    classes = {"happiness": "positive", "surprise": "surprise"}
    clips = [clip for clip in SAMM.draw_clips(0) if clip.emotion != "other"]
    labels = np.array([classes.get(clip.emotion, "negative") for clip in clips])
    score = {}
    for motion in (True, False):
        root = tmp_path / str(motion)
        write("samm", root, StandInOptions(motion=motion))
        inputs = []
        for clip in clips:
            rest, full = (
                cv2.imread(
                    str(
                        root / clip.subject / clip.name / f"{clip.subject}_{k:0{clip.digits}d}.jpg"
                    ),
                    0,
                )
                for k in (clip.onset, clip.apex)
            )
            change = full.astype(np.float32) - rest
            inputs.append(cv2.resize(change, (30, 30), interpolation=cv2.INTER_AREA).ravel())
        svm = make_pipeline(StandardScaler(), LinearSVC(C=1e-3, class_weight="balanced"))
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        predicted = cross_val_predict(
            svm, np.array(inputs), labels, groups=[clip.subject for clip in clips], cv=folds
        )
        score[motion] = f1_score(labels, predicted, average="macro")
    assert score[True] > 0.75
    assert score[False] < 0.5
