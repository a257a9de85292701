"""Crop, magnification, spotting, interpolation, flow: what a config asks for, what is cached."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mer_keras.clips import faces, flow, footage, frames, magnification, spotting
from mer_keras.clips.assemble import check_frames, load_clips
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, Flow, Magnification
from mer_keras.databases.samples import make_samples
from mer_keras.errors import FrameError
from mer_keras.synthetic import stand_ins

COUNT = 20
CLIP = Clip(kind="frames", frames=5, size=32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """A clip of a blob that moves to the right and back, in colour."""
    return draw(tmp_path / "data" / "blob", [3 * np.sin(np.pi * k / COUNT) for k in range(COUNT)])


def draw(place, moves, shape=(60, 80), name="img{}.png", first=1):
    place.mkdir(parents=True)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for number, move in enumerate(moves, start=first):
        ground = 90 + 25 * np.sin(x / 3.3) * np.cos(y / 4.1)
        blob = 90 * np.exp(-((x - 40 - move) ** 2 + (y - 30) ** 2) / 60)
        gray = np.clip(ground + blob, 0, 255).astype(np.uint8)
        picture = np.dstack([gray, gray // 2, 255 - gray])
        assert cv2.imwrite(str(place / name.format(number)), picture)
    return place


def samples(path, fps=100.0, **marks):
    row = {
        "database": "demo",
        "subject": "01",
        "clip": "a",
        "path": str(path),
        "onset": 1,
        "apex": 11,
        "offset": COUNT,
        "fps": fps,
        "emotion": "surprise",
        "data_kind": "synthetic",
    }
    return make_samples([{**row, **marks}], source="test")


def load(path, clip=CLIP, policies=None, **marks):
    return load_clips(samples(path, **marks), clip, policies)


class Counts:
    """How often each step was really computed."""

    def __init__(self, monkeypatch):
        self.calls = dict.fromkeys(("decode", "face", "magnify", "spot", "flow"), 0)
        for name, module, function in (
            ("decode", frames, "decode"),
            ("face", faces, "locate"),
            ("magnify", magnification, "magnify"),
            ("spot", spotting, "spot"),
            ("flow", flow, "flow_image"),
        ):
            self.watch(monkeypatch, name, module, function)

    def watch(self, monkeypatch, name, module, function):
        original = getattr(module, function)

        def counted(*args, **options):
            self.calls[name] += 1
            return original(*args, **options)

        monkeypatch.setattr(module, function, counted)

    def since(self):
        seen = {name: count for name, count in self.calls.items() if count}
        self.calls = dict.fromkeys(self.calls, 0)
        return seen


def test_colour_frames_are_rgb(folder):
    loaded = load(folder, Clip(kind="frames", frames=3, size=32, channels=3))
    assert loaded.arrays.shape == (1, 3, 32, 32, 3)
    red, green, blue = (loaded.arrays[0, 0, ..., c].mean() for c in range(3))
    assert blue == pytest.approx(2 * green, rel=0.1)
    assert red + blue == pytest.approx(1, abs=0.02)


def test_interpolation_gives_any_number_of_frames(folder):
    clip = Clip(kind="frames", frames=39, size=32, sampling="interpolated")
    loaded = load(folder, clip)
    every = load(folder, Clip(kind="frames", frames=COUNT, size=32, sampling="interpolated"))
    assert loaded.arrays.shape[1] == 39
    np.testing.assert_allclose(loaded.arrays[0, ::2], every.arrays[0], atol=1e-6)
    between = (every.arrays[0, :-1] + every.arrays[0, 1:]) / 2
    np.testing.assert_allclose(loaded.arrays[0, 1::2], between, atol=1e-6)


def test_normalised_clips_have_no_brightness_of_their_own(folder):
    loaded = load(folder, CLIP.model_copy(update={"normalise": "standard"}))
    assert loaded.arrays.mean() == pytest.approx(0, abs=1e-4)
    assert loaded.arrays.std() == pytest.approx(1, abs=1e-4)


class TestWholeClips:
    WHOLE = Clip(kind="frames", size=32, sampling="whole")

    def test_each_frame_is_loaded_as_an_image_of_its_own_is(self, folder):
        (clip,) = load(folder, self.WHOLE).arrays
        assert clip.shape == (COUNT, 32, 32, 1)
        single = Clip(kind="frames", frames=1, size=32, sampling="apex")
        for number in range(1, COUNT + 1):
            image = load(folder, single, onset=1, apex=number, offset=COUNT).arrays[0]
            np.testing.assert_array_equal(clip[number - 1], image)

    def test_they_can_be_magnified_and_normalised_clip_by_clip(self, folder):
        recipe = Magnification(alpha=5, low=1, high=12, levels=1)
        changes = {"magnification": recipe, "normalise": "standard"}
        (clip,) = load(folder, self.WHOLE.model_copy(update=changes)).arrays
        fixed = Clip(kind="frames", frames=COUNT, size=32, sampling="interpolated", **changes)
        np.testing.assert_allclose(clip, load(folder, fixed).arrays[0], atol=1e-5)

    def test_a_frame_that_is_not_on_disk_keeps_its_moment(self, folder):
        (folder / "img7.png").unlink()
        loaded = load(folder, self.WHOLE)
        assert len(loaded.arrays[0]) == COUNT
        np.testing.assert_array_equal(loaded.arrays[0][6], loaded.arrays[0][5])
        assert loaded.warnings == (
            "frame not on disk, the nearest one stands in: 1 of 1 clips (at most 1 away)",
        )

    def test_a_clip_of_one_frame_keeps_its_time_axis(self, folder):
        (clip,) = load(folder, self.WHOLE, onset=4, apex=4, offset=4).arrays
        assert clip.shape == (1, 32, 32, 1)

    def test_a_second_load_computes_nothing(self, folder, monkeypatch):
        first = load(folder, self.WHOLE)
        counts = Counts(monkeypatch)
        assert load(folder, self.WHOLE).digest() == first.digest()
        assert counts.since() == {}

    def test_no_apex_is_missed(self, folder):
        assert load(folder, self.WHOLE, apex=None).warnings == ()


class TestMagnification:
    ASKED = Magnification(alpha=5, low=1, high=12, levels=1)

    def test_motion_is_amplified_and_stays_a_picture(self, folder):
        plain = load(folder).arrays[0]
        more = load(folder, CLIP.model_copy(update={"magnification": self.ASKED})).arrays[0]
        change = np.abs(plain - plain[:1]).max(), np.abs(more - more[:1]).max()
        assert change[1] > 2 * change[0]
        assert more.min() >= 0 and more.max() <= 1

    def test_a_band_without_a_frequency_of_the_clip_is_said_and_changes_nothing(self, folder):
        asked = Magnification(alpha=15, low=0.1, high=0.4)
        loaded = load(folder, CLIP.model_copy(update={"magnification": asked}))
        np.testing.assert_array_equal(loaded.arrays, load(folder).arrays)
        (line,) = loaded.warnings
        assert "0.1-0.4 Hz holds no frequency of the clip" in line

    def test_without_a_frame_rate_it_is_an_error(self, folder):
        clip = CLIP.model_copy(update={"magnification": self.ASKED})
        with pytest.raises(FrameError, match=r"demo/01/a.*inputs\.NAME\.magnification\.fps"):
            load(folder, clip, fps=None)
        given = self.ASKED.model_copy(update={"fps": 100.0})
        load(folder, CLIP.model_copy(update={"magnification": given}), fps=None)


class TestFlow:
    CLIP = Clip(kind="flow", size=28, flow=Flow(method="farneback", compute_size=64))

    def test_the_three_channels_come_from_onset_and_apex(self, folder):
        loaded = load(folder, self.CLIP)
        assert loaded.arrays.shape == (1, 28, 28, 3)
        assert loaded.arrays.min() == 0 and loaded.arrays.max() == pytest.approx(255)
        stack = [cv2.imread(str(folder / f"img{n}.png"), cv2.IMREAD_GRAYSCALE) for n in (1, 11)]
        small = [cv2.resize(f, (64, 64), interpolation=cv2.INTER_AREA) for f in stack]
        expected = flow.flow_image(*small, method=flow.FlowMethod.FARNEBACK)
        np.testing.assert_allclose(loaded.arrays[0], expected)

    def test_fault_32_flow_that_is_not_finite_names_the_clip(self, folder, monkeypatch):
        broken = {
            method: lambda a, b: np.full((*a.shape, 2), np.nan, np.float32)
            for method in flow.FlowMethod
        }
        monkeypatch.setattr(flow, "_METHODS", broken)
        with pytest.raises(FrameError, match=r"clip 'demo/01/a'.*NaN or infinite"):
            load(folder, self.CLIP)


class TestApex:
    def test_a_missing_apex_can_be_spotted(self, folder):
        plain = load(folder, apex=None)
        assert plain.warnings == ("apex not annotated, the middle frame stands in: 1 of 1 clips",)
        spotted = load(folder, policies=Policies(apex="spot"), apex=None)
        assert spotted.warnings == ("apex not annotated, spotted from optical flow: 1 of 1 clips",)

    def test_all_three_marks_are_spotted_where_none_is_annotated(self, folder):
        marks = {"onset": None, "apex": None, "offset": None}
        loaded = load(folder, policies=Policies(apex="spot"), **marks)
        assert loaded.warnings == (
            "onset, apex and offset not annotated, spotted from optical flow: 1 of 1 clips",
        )

    def test_the_spotted_apex_is_where_the_movement_is_largest(self, tmp_path):
        moves = [3 * np.exp(-((k - 14) ** 2) / 8) for k in range(COUNT)]
        place = draw(tmp_path / "late", moves)
        clip = Clip(kind="frames", frames=1, size=32, sampling="apex")
        found = load(place, clip, Policies(apex="spot"), apex=None).arrays
        near = [load(place, clip, apex=n).arrays for n in (14, 15, 16)]
        assert any(np.array_equal(found, other) for other in near)


class TestFaces:
    HAAR = CLIP.model_copy(update={"crop": "haar"})

    @pytest.fixture
    def person(self, tmp_path):
        options = stand_ins.StandInOptions(native=True, clips=1)
        root = tmp_path / "CASME2"
        stand_ins.write("casme2", root, options)
        return next((root / "CASME2_RAW_selected").glob("*/*"))

    def test_the_face_fills_the_crop_of_a_camera_frame(self, person):
        marks = {"onset": None, "apex": None, "offset": None}
        cropped = load(person, self.HAAR, **marks)
        assert not any("no face" in line for line in cropped.warnings)
        # the wall beside the head is gone
        whole = load(person, **marks)
        assert cropped.arrays[0, 0].std() > whole.arrays[0, 0].std()

    def test_fault_30_no_face_is_counted_or_the_clip_left_out(self, folder):
        loaded = load(folder, self.HAAR)
        assert "no face was found, the centre of the frame stands in: 1 of 1 clips" in (
            loaded.warnings
        )
        centre = load(folder, CLIP.model_copy(update={"crop": "centre"}))
        np.testing.assert_array_equal(loaded.arrays, centre.arrays)
        with pytest.raises(FrameError, match="no face was found on the onset frame"):
            load(folder, self.HAAR, Policies(face="exclude"))

    def test_fault_30_two_faces_are_counted(self, folder, monkeypatch):
        box = faces.FaceBox(10, 10, 40, 40, 0.0, "haar", 2)
        monkeypatch.setattr(faces, "locate", lambda *_args, **_options: box.packed())
        assert load(folder, self.HAAR).warnings == (
            "several faces were found, the largest one is taken: 1 of 1 clips",
        )

    def test_the_centre_keeps_the_aspect_ratio(self, folder):
        loaded = load(folder, CLIP.model_copy(update={"crop": "centre"}))
        gray = cv2.imread(str(folder / "img1.png"), cv2.IMREAD_GRAYSCALE)[:, 10:70]
        expected = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA) / np.float32(255)
        np.testing.assert_allclose(loaded.arrays[0, 0, ..., 0], expected, atol=1e-6)


class TestCache:
    FULL = CLIP.model_copy(
        update={"crop": "haar", "magnification": Magnification(alpha=5, low=1, high=12, levels=1)}
    )
    SPOT = Policies(apex="spot")

    def test_a_second_run_computes_and_reads_nothing(self, folder, monkeypatch):
        first = load(folder, self.FULL, self.SPOT, apex=None)
        counts = Counts(monkeypatch)
        monkeypatch.setattr(frames.Path, "read_bytes", frames.Path.read_bytes)
        again = load(folder, self.FULL, self.SPOT, apex=None)
        assert counts.since() == {}
        np.testing.assert_array_equal(first.arrays, again.arrays)
        assert first.warnings == again.warnings

    def test_a_changed_parameter_redoes_only_what_reads_it(self, folder, monkeypatch):
        load(folder, self.FULL, self.SPOT, apex=None)
        counts = Counts(monkeypatch)
        louder = self.FULL.model_copy(
            update={"magnification": Magnification(alpha=9, low=1, high=12, levels=1)}
        )
        load(folder, louder, self.SPOT, apex=None)
        assert counts.since() == {"magnify": 1}
        more = self.FULL.model_copy(update={"frames": 9})
        load(folder, more, self.SPOT, apex=None)
        assert counts.since() == {}
        larger = self.FULL.model_copy(update={"size": 40})
        load(folder, larger, self.SPOT, apex=None)
        seen = counts.since()
        assert seen.pop("decode") == COUNT and seen == {"magnify": 1}

    def test_another_flow_method_decodes_nothing(self, folder, monkeypatch):
        load(folder, TestFlow.CLIP)
        counts = Counts(monkeypatch)
        load(folder, TestFlow.CLIP.model_copy(update={"flow": Flow(method="dis", compute_size=64)}))
        assert counts.since() == {"flow": 1}


class TestVideos:
    def write(self, path, moves, fps=25.0):
        path.parent.mkdir(parents=True, exist_ok=True)
        video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (80, 60))
        assert video.isOpened()
        for number in range(len(moves)):
            picture = np.full((60, 80, 3), min(250, 10 * number), np.uint8)
            video.write(picture)
        video.release()
        return path

    def test_frames_of_a_video_count_from_zero(self, tmp_path):
        path = self.write(tmp_path / "data" / "clip.avi", range(12))
        loaded = load(path, onset=2, apex=5, offset=10)
        levels = np.rint(loaded.arrays[0, :, 16, 16, 0] * 25.5).astype(int).tolist()
        assert levels == [2, 4, 5, 8, 10]

    def test_its_own_frame_rate_serves_magnification(self, tmp_path):
        path = self.write(tmp_path / "data" / "clip.avi", range(12))
        asked = Magnification(alpha=2, low=1, high=12.5, levels=1)
        clip = CLIP.model_copy(update={"magnification": asked})
        load(path, clip, fps=None, onset=2, apex=5, offset=10)

    def test_a_second_run_decodes_no_video(self, tmp_path, monkeypatch):
        path = self.write(tmp_path / "data" / "clip.avi", range(12))
        load(path, onset=2, apex=5, offset=10)
        monkeypatch.setattr(footage.cv2, "VideoCapture", None)
        load(path, onset=2, apex=5, offset=10)

    def test_fault_29_broken_videos_are_left_out_with_the_reason(self, tmp_path):
        path = self.write(tmp_path / "data" / "clip.avi", range(40))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        text = tmp_path / "data" / "page.mp4"
        text.write_bytes(b"<html>not a video</html>" * 50)
        for bad, words in ((path, "broken video|frame"), (text, "without a frame")):
            with pytest.raises(FrameError, match=words):
                load(bad, onset=2, apex=5, offset=10)

    @pytest.mark.parametrize(
        ("fps", "times", "words"),
        [
            (0.0, [0, 40, 80], "without a frame rate"),
            (float("nan"), [0, 40, 80], "without a frame rate"),
            (25.0, [0, 40, 300, 340], "variable frame rate"),
        ],
    )
    def test_fault_29_frame_rates_that_say_nothing(self, tmp_path, monkeypatch, fps, times, words):
        path = tmp_path / "clip.avi"
        path.write_bytes(b"x")

        class Capture:
            def __init__(self, _path):
                self.place = -1

            def isOpened(self):  # noqa: N802 - OpenCV's name
                return True

            def grab(self):
                self.place += 1
                return self.place < len(times)

            def get(self, what):
                return {
                    cv2.CAP_PROP_FPS: fps,
                    cv2.CAP_PROP_POS_MSEC: times[min(self.place, len(times) - 1)],
                    cv2.CAP_PROP_FRAME_COUNT: len(times),
                }[what]

            def release(self):
                pass

        fake = SimpleNamespace(**{n: getattr(cv2, n) for n in dir(cv2) if n.startswith("CAP_")})
        fake.VideoCapture, fake.__version__ = Capture, cv2.__version__
        monkeypatch.setattr(footage, "cv2", fake)
        with pytest.raises(footage.UnusableClipError, match=words):
            footage.open_footage(path)


def test_one_image_is_a_clip_of_one_frame(tmp_path):
    picture = np.full((40, 40), 77, np.uint8)
    for name in ("a.tiff", "a.png"):
        assert cv2.imwrite(str(tmp_path / name), picture)
        clip = Clip(kind="frames", frames=1, size=32, sampling="apex")
        loaded = load(tmp_path / name, clip, onset=None, apex=None, offset=None)
        assert loaded.arrays.shape == (1, 32, 32, 1)
        assert np.rint(loaded.arrays * 255).min() == 77


def test_a_truncated_tiff_is_left_out(tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.tiff"), np.random.default_rng(0).integers(
        0, 255, (40, 40), np.uint8), [cv2.IMWRITE_TIFF_COMPRESSION, 1])  # fmt: skip
    data = (tmp_path / "a.tiff").read_bytes()
    (tmp_path / "a.tiff").write_bytes(data[: len(data) // 2])
    clip = Clip(kind="frames", frames=1, size=32, sampling="apex")
    with pytest.raises(FrameError, match=r"a\.tiff: .*TIFF"):
        load(tmp_path / "a.tiff", clip, onset=None, apex=None, offset=None)


class TestCheck:
    def test_every_frame_is_looked_at_and_nothing_cached(self, folder, tmp_path):
        excluded, warnings = check_frames(samples(folder))
        assert (excluded, warnings) == ((), ())
        (folder / "img7.png").write_bytes(b"")
        excluded, _ = check_frames(samples(folder))
        assert [(e.clip, e.reason) for e in excluded] == [("01/a", "img7.png: zero bytes")]
        assert not list((tmp_path / "cache").rglob("*.clip"))

    def test_gaps_and_a_missing_apex_are_remarked(self, folder):
        (folder / "img7.png").unlink()
        _, warnings = check_frames(samples(folder, apex=None))
        assert any("nearest one stands in" in line for line in warnings)
        assert any("apex not annotated" in line for line in warnings)
