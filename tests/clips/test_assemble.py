import csv
import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mer_keras import settings
from mer_keras.clips import cache
from mer_keras.clips.assemble import ClipArrays, load_clips
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import make_samples
from mer_keras.errors import ConfigError, FrameError, InvariantError

CLIP = Clip(kind="frames", frames=5, size=8, sampling="around_apex")
FLOW = Clip(kind="flow_image", size=28, channel_order=("u", "v", "strain"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix, image)
    assert ok
    path.write_bytes(data.tobytes())


def frame(number, shape=(12, 10)):
    """A flat image that tells its frame number, with one bright corner."""
    image = np.full(shape, number, np.uint8)
    image[:6, :5] = 250
    return image


def make_clip(folder, numbers=range(1, 22), name="img{}.png"):
    for number in numbers:
        write(folder / name.format(number), frame(number))
    return folder


def row(path, onset=1, apex=11, offset=21, subject="01", clip=None):
    return {
        "database": "demo",
        "subject": subject,
        "clip": clip or path.stem,
        "path": str(path),
        "onset": onset,
        "apex": apex,
        "offset": offset,
        "emotion": "surprise",
        "data_kind": "synthetic",
    }


def samples(*rows):
    return make_samples(rows, source="test")


def numbers_of(clip):
    """The frame numbers that a loaded clip of ``frame`` images holds."""
    return np.rint(clip[:, -1, -1, 0] * 255).astype(int).tolist()


def load_one(path, clip=CLIP, **marks):
    return load_clips(samples(row(path, **marks)), clip)


def test_frames_become_gray_squares_between_0_and_1(folder):
    loaded = load_one(make_clip(folder / "a"))
    assert loaded.arrays.shape == (1, 5, 8, 8, 1)
    assert loaded.arrays.dtype == np.float32
    assert numbers_of(loaded.arrays[0]) == [1, 6, 11, 16, 21]
    assert loaded.arrays.max() == np.float32(250 / 255)
    expected = cv2.resize(frame(6), (8, 8), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(loaded.arrays[0, 1, ..., 0], np.float32(expected) / 255)
    assert loaded.warnings == ()
    assert loaded.excluded == ()


def test_the_config_chooses_the_sampling(folder):
    clip = CLIP.model_copy(update={"sampling": "uniform_with_apex"})
    loaded = load_one(make_clip(folder / "a"), clip, apex=2)
    assert numbers_of(loaded.arrays[0]) == [1, 2, 8, 14, 21]


def test_clips_stand_in_the_order_of_the_table_and_are_joined_by_id(folder):
    paths = [make_clip(folder / name, range(at, at + 5)) for name, at in (("b", 10), ("a", 50))]
    rows = [row(path, onset=None, apex=None, offset=None) for path in paths]
    loaded = load_clips(samples(*rows), CLIP)
    assert loaded.sample_ids == ("demo/01/a", "demo/01/b")
    assert numbers_of(loaded.arrays[0])[0] == 50
    chosen = loaded.select(["demo/01/b", "demo/01/a", "demo/01/b"])
    assert [numbers_of(clip)[0] for clip in chosen] == [10, 50, 10]
    assert loaded.select([]).shape == (0, 5, 8, 8, 1)


def whole_clips(folder):
    """Three clips of 5, 3 and 8 frames, at their own lengths."""
    ranges = {"a": (10, 15), "b": (50, 53), "c": (70, 78)}
    rows = [
        row(make_clip(folder / name, range(*frames)), None, None, None)
        for name, frames in ranges.items()
    ]
    return load_clips(samples(*rows), Clip(kind="frames", size=8, sampling="whole"))


def test_whole_clips_keep_their_lengths(folder):
    loaded = whole_clips(folder)
    assert isinstance(loaded.arrays, list)
    assert [clip.shape for clip in loaded.arrays] == [(n, 8, 8, 1) for n in (5, 3, 8)]
    assert {clip.dtype for clip in loaded.arrays} == {np.dtype("float32")}
    assert numbers_of(loaded.arrays[1]) == [50, 51, 52]
    assert loaded.warnings == ()


def test_whole_clips_are_selected_by_id_as_others_are(folder):
    loaded = whole_clips(folder)
    assert loaded.rows(["demo/01/c", "demo/01/a"]).tolist() == [2, 0]
    chosen = loaded.select(["demo/01/c", "demo/01/a", "demo/01/c"])
    assert isinstance(chosen, list)
    assert [numbers_of(clip)[0] for clip in chosen] == [70, 10, 70]
    assert loaded.select([]) == []
    with pytest.raises(InvariantError, match="1 of 1 requested"):
        loaded.select(["demo/01/x"])


def test_the_digest_of_whole_clips_tells_values_lengths_and_order(folder):
    loaded = whole_clips(folder)
    assert loaded.digest() == whole_clips(folder).digest()
    first, second, third = loaded.arrays
    changed = first.copy()
    changed[2, 1, 1, 0] += 1e-3
    joined = np.concatenate([first, second])
    for arrays in (
        [changed, second, third],
        [second, first, third],
        [joined[:3], joined[3:], third],  # These are the same bytes, in clips of other lengths.
        [joined, third],
    ):
        assert replace(loaded, arrays=arrays).digest() != loaded.digest()


def test_the_digest_of_clips_of_one_shape_is_that_of_their_bytes(folder):
    """Stored runs hold such digests."""
    arrays = load_one(make_clip(folder / "a")).arrays
    loaded = ClipArrays(("demo/01/a",), arrays)
    assert loaded.digest() == hashlib.blake2b(arrays.tobytes(), digest_size=16).hexdigest()


def test_selecting_a_clip_that_is_not_there_breaks_a_promise(folder):
    loaded = load_one(make_clip(folder / "a"))
    with pytest.raises(InvariantError, match=r"1 of 2 requested clips.*demo/01/x"):
        loaded.select(["demo/01/a", "demo/01/x"])


def test_clips_of_one_recording_share_its_folder(folder):
    path = make_clip(folder / "long")
    rows = [row(path, 1, 3, 5, clip="first"), row(path, 11, 13, 15, clip="second")]
    loaded = load_clips(samples(*rows), CLIP)
    assert [numbers_of(clip)[0] for clip in loaded.arrays] == [1, 11]


def test_missing_marks_come_from_the_folder_and_are_counted(folder):
    paths = [make_clip(folder / name, range(3, 14)) for name in ("a", "b")]
    rows = [row(paths[0], None, None, None), row(paths[1], 3, 5, 13)]
    loaded = load_clips(samples(*rows), CLIP)
    assert numbers_of(loaded.arrays[0])[::2] == [3, 8, 13]
    assert loaded.warnings == ("apex not annotated, the middle frame stands in: 1 of 2 clips",)


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"offset": 40}, "offset 40 is beyond the frames on disk, 5 to 21"),
        ({"onset": 2}, "onset 2 is beyond the frames on disk, 5 to 21"),
        ({"onset": None, "apex": 30, "offset": None}, "apex 30 is beyond"),
    ],
)
def test_a_clip_annotated_beyond_its_folder_is_left_out(folder, marks, reason):
    good = make_clip(folder / "good")
    bad = make_clip(folder / "bad", range(5, 22))
    loaded = load_clips(samples(row(good), row(bad, **{"onset": 5, **marks})), CLIP)
    assert loaded.sample_ids == ("demo/01/good",)
    (excluded,) = loaded.excluded
    assert (excluded.database, excluded.clip) == ("demo", "01/bad")
    assert excluded.reason.startswith(reason)
    assert str(folder) not in excluded.reason


def test_one_frame_beyond_is_taken_for_the_end_and_counted(folder):
    loaded = load_one(make_clip(folder / "a", range(1, 22)), onset=0, offset=22)
    assert numbers_of(loaded.arrays[0]) == [1, 6, 11, 16, 21]
    assert loaded.warnings == (
        "annotated one frame beyond the folder, its first or last frame stands in: 1 of 1 clips",
    )


def test_marks_out_of_order_break_the_table_s_promise(folder):
    table = samples(row(make_clip(folder / "a")))
    table.table.loc[0, "onset"] = 15  # The table's own check doesn't see this.
    with pytest.raises(InvariantError, match="onset <= apex <= offset"):
        load_clips(table, CLIP)


def test_a_gap_is_filled_by_the_nearest_frame_and_counted(folder):
    there = [n for n in range(1, 22) if n not in (5, 6, 7, 16)]
    whole = make_clip(folder / "whole")
    gappy = make_clip(folder / "gappy", there)
    loaded = load_clips(samples(row(whole), row(gappy)), CLIP)
    # Of two equally near frames the earlier one stands in.
    assert numbers_of(loaded.arrays[0]) == [1, 4, 11, 15, 21]
    assert loaded.warnings == (
        "frame not on disk, the nearest one stands in: 1 of 2 clips (at most 2 away)",
    )


def test_a_short_clip_repeats_frames_and_is_counted(folder):
    loaded = load_one(make_clip(folder / "a", [1, 2, 3]), onset=1, apex=2, offset=3)
    assert numbers_of(loaded.arrays[0]) == [1, 2, 2, 3, 3]
    assert loaded.warnings == ("fewer than 5 different frames, some stand twice: 1 of 1 clips",)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: b"", "img6.jpg: zero bytes"),
        (lambda data: data[: len(data) * 2 // 3], "img6.jpg: JPEG that is cut off or damaged"),
        (lambda data: b"<html>", "img6.jpg: neither"),
    ],
)
def test_a_clip_with_a_damaged_image_is_left_out(folder, damage, reason):
    good = make_clip(folder / "good", name="img{}.jpg")
    bad = make_clip(folder / "bad", name="img{}.jpg")
    (bad / "img6.jpg").write_bytes(damage((bad / "img6.jpg").read_bytes()))
    for _ in range(2):  # The second time it comes from the cache.
        loaded = load_clips(samples(row(good), row(bad)), CLIP)
        assert loaded.sample_ids == ("demo/01/good",)
        assert loaded.excluded[0].reason.startswith(reason)


def test_a_damaged_image_that_nothing_needs_harms_nothing(folder):
    path = make_clip(folder / "a")
    (path / "img7.png").write_bytes(b"")
    assert load_one(path).excluded == ()


def test_a_png_named_jpg_is_accepted_and_counted(folder):
    path = make_clip(folder / "a")
    for file in path.iterdir():
        file.rename(file.with_suffix(".jpg"))
    for _ in range(2):  # The cache keeps the remark.
        loaded = load_one(path)
        assert numbers_of(loaded.arrays[0]) == [1, 6, 11, 16, 21]
        assert loaded.warnings == ("PNG image named .jpg: 1 of 1 clips",)
    for file in path.iterdir():
        file.rename(file.with_suffix(".png"))
    assert load_one(path).warnings == ()  # The remark is about the name, not the content.


def test_a_deep_png_is_converted(folder):
    path = make_clip(folder / "a")
    write(path / "img6.png", frame(6).astype(np.uint16) * 257)
    assert numbers_of(load_one(path).arrays[0]) == [1, 6, 11, 16, 21]


def test_a_huge_header_stops_the_run(folder):
    path = make_clip(folder / "a")
    data = bytearray((path / "img6.png").read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big")
    (path / "img6.png").write_bytes(data)
    with pytest.raises(FrameError, match=r"img6\.png: the header claims 20000x10000"):
        load_one(path)


def test_fault_25_28_natural_order_and_strays(folder):
    path = make_clip(folder / "a", range(1, 22), name="reg_img{}.png")
    for name in ("Thumbs.db", ".DS_Store", "._reg_img6.png", "Desktop - Shortcut.lnk"):
        (path / name).write_bytes(b"stray")
    loaded = load_one(path, onset=None, apex=None, offset=None)
    assert numbers_of(loaded.arrays[0]) == [1, 6, 11, 16, 21]


def test_mixed_sizes_stop_with_the_way_out(folder):
    mixed = make_clip(folder / "mixed")
    write(mixed / "img6.png", frame(6, (20, 20)))
    with pytest.raises(
        FrameError, match=r"different sizes.*data\.policies\.sizes=resize"
    ) as caught:
        load_one(mixed)
    assert str(mixed) in str(caught.value)


def test_fault_24_31_mixed_sizes_black_and_identical_frames_are_counted(folder):
    mixed = make_clip(folder / "mixed")
    write(mixed / "img6.png", frame(6, (20, 20)))
    for name, value in (("black", 0), ("still", 9)):
        for number in range(1, 22):
            write(folder / name / f"{number}.png", np.full((9, 9), value, np.uint8))
    rows = [row(folder / name) for name in ("mixed", "black", "still")]
    assert load_clips(samples(*rows), CLIP, Policies(sizes="resize")).warnings == (
        "all frames are black: 1 of 3 clips",
        "all frames are identical: 1 of 3 clips",
        "frames of different sizes in one clip, each resized: 1 of 3 clips",
    )


def test_fault_33_unicode_and_spaces_in_paths(folder):
    path = make_clip(folder / "表情 – é" / ("long " * 20) / "a", name="görüntü {}.png")
    assert numbers_of(load_one(path).arrays[0]) == [1, 6, 11, 16, 21]


def test_fault_34_a_read_only_database_is_enough(folder):
    path = make_clip(folder / "a")
    before = sorted(path.iterdir())
    path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        load_one(path)
        assert sorted(path.iterdir()) == before
    finally:
        path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_absent_or_empty_stops_before_anything_is_read(folder, make, monkeypatch):
    good = make_clip(folder / "good")
    if make:
        (folder / "bad").mkdir()
    monkeypatch.setattr(cache, "read_bytes", lambda _: pytest.fail("read"))
    with pytest.raises(FrameError, match=str(folder / "bad")):
        load_clips(samples(row(good), row(folder / "bad")), CLIP)


def test_no_clip_left_is_an_error(folder):
    with pytest.raises(FrameError, match=r"none of 1 clips.*01/a.*offset 90"):
        load_one(make_clip(folder / "a"), offset=90)


def test_an_impossible_number_of_frames_is_told_first(folder):
    with pytest.raises(ConfigError, match="odd"):
        load_one(folder / "absent", CLIP.model_copy(update={"frames": 4}))


def test_progress_counts_every_clip(folder):
    rows = [row(make_clip(folder / name)) for name in "abc"]
    rows[1]["offset"] = 99
    seen = []
    load_clips(samples(*rows), CLIP, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_an_interrupted_load_ends(folder):
    rows = [row(make_clip(folder / f"{n}", [1, 11, 21])) for n in range(20)]

    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_clips(samples(*rows), CLIP, progress=interrupt)


def test_a_second_load_opens_no_image_and_gives_the_same(folder, monkeypatch):
    table = samples(*(row(make_clip(folder / name)) for name in "abc"))
    first = load_clips(table, CLIP)
    with monkeypatch.context() as patch:
        patch.setattr(cache, "read_bytes", lambda _: pytest.fail("read"))
        second = load_clips(table, CLIP)
    np.testing.assert_array_equal(first.arrays, second.arrays)
    other = load_clips(table, CLIP.model_copy(update={"size": 6}))
    assert other.arrays.shape == (3, 5, 6, 6, 1)


def test_a_cache_that_cannot_be_written_is_told(folder, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "file"))
    loaded = load_one(make_clip(folder / "a"))
    assert loaded.arrays.shape == (1, 5, 8, 8, 1)
    assert loaded.warnings[0].startswith("not written to the cache (")


def flow_image(seed=0, size=28):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_flow_images_come_as_their_files_hold_them(folder):
    for number in range(3):
        write(folder / f"{number}.png", flow_image(number))
    rows = [row(folder / f"{n}.png", None, None, None) for n in range(3)]
    loaded = load_clips(samples(*rows), FLOW)
    assert loaded.arrays.shape == (3, 28, 28, 3)
    assert loaded.arrays.dtype == np.float32
    for number in range(3):
        # OpenCV wrote blue, green and red.
        np.testing.assert_array_equal(loaded.arrays[number], flow_image(number)[..., ::-1])
    assert loaded.warnings == ()


def test_a_flow_image_of_another_size_is_refused(folder):
    write(folder / "a.png", flow_image(size=30))
    with pytest.raises(FrameError, match=r"a\.png: 30x30 pixels, expected 28x28"):
        load_one(folder / "a.png", FLOW)


def test_a_flow_image_that_is_absent_stops_and_a_damaged_one_is_left_out(folder):
    for name in "ab":
        write(folder / f"{name}.png", flow_image())
    rows = [row(folder / f"{name}.png") for name in "ab"]
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:-5])
    assert (
        load_clips(samples(*rows), FLOW).excluded[0].reason.startswith("b.png: PNG that is cut off")
    )
    (folder / "b.png").unlink()
    with pytest.raises(FrameError, match=r"b\.png: can't be read"):
        load_clips(samples(*rows), FLOW)


@pytest.mark.flow
def test_the_public_flow_set_loads_whole():
    roots = [root / "megc2019_flow" for root in settings.data_roots()]
    present = [root for root in roots if (root / "samples.csv").is_file()]
    if not present:
        pytest.skip("the public MEGC 2019 flow set is not under MER_DATA")
    with (present[0] / "samples.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    rows = [
        {
            "database": item["database"],
            "subject": item["subject"],
            "clip": item["clip"],
            "path": str(present[0] / item["image"]),
            "emotion": item["emotion"],
            "data_kind": "public",
        }
        for item in listed
    ]
    loaded = load_clips(samples(*rows), FLOW)
    assert loaded.arrays.shape == (442, 28, 28, 3)
    assert loaded.excluded == ()
    by_id = {f"{r['database']}/{r['subject']}/{r['clip']}": Path(r["path"]) for r in rows}
    for sample_id in loaded.sample_ids[::40]:
        expected = cv2.imread(str(by_id[sample_id]))[..., ::-1]
        np.testing.assert_array_equal(loaded.select([sample_id])[0], expected)
