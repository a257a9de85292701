"""Crop, magnification, interpolation, flow: what a config asks for, what is cached."""

import cv2
import numpy as np
import pytest

from mer_keras.clips import faces, flow, frames, magnification, spotting
from mer_keras.clips.assemble import check_frames
from mer_keras.clips.interpolation import tim_matrix
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, Flow, Magnification, TemporalInterpolation
from mer_keras.errors import FrameError
from mer_keras.synthetic import stand_ins
from tests.clips.blob import CLIP, COUNT, load, samples


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


def test_colour_frames_are_rgb(blob):
    loaded = load(blob, Clip(kind="frames", frames=3, size=32, channels=3))
    assert loaded.arrays.shape == (1, 3, 32, 32, 3)
    red, green, blue = (loaded.arrays[0, 0, ..., c].mean() for c in range(3))
    assert blue == pytest.approx(2 * green, rel=0.1)
    assert red + blue == pytest.approx(1, abs=0.02)


def test_interpolation_gives_any_number_of_frames(blob):
    clip = Clip(kind="frames", frames=39, size=32, sampling="interpolated")
    loaded = load(blob, clip)
    every = load(blob, Clip(kind="frames", frames=COUNT, size=32, sampling="interpolated"))
    assert loaded.arrays.shape[1] == 39
    np.testing.assert_allclose(loaded.arrays[0, ::2], every.arrays[0], atol=1e-6)
    between = (every.arrays[0, :-1] + every.arrays[0, 1:]) / 2
    np.testing.assert_allclose(loaded.arrays[0, 1::2], between, atol=1e-6)


def test_temporal_interpolation_is_of_all_frames_and_rounded(blob):
    every = load(blob, Clip(kind="frames", frames=COUNT, size=32, sampling="tim")).arrays[0]
    (whole,) = load(blob, Clip(kind="frames", size=32, sampling="whole")).arrays
    np.testing.assert_array_equal(every, whole)
    clip = Clip(kind="frames", frames=10, size=32, sampling="tim")
    gray = load(blob, clip).arrays[0] * 255  # (10, 32, 32, 1)
    curve = np.einsum("nt,tyxc->nyxc", tim_matrix(COUNT, 10), np.rint(whole * 255.0))
    np.testing.assert_allclose(gray, np.clip(curve, 0, 255), atol=0.51)
    np.testing.assert_allclose(gray, np.rint(gray), atol=1e-3)
    more = load(blob, clip.model_copy(update={"frames": COUNT + 1}))
    remark = f"fewer than {COUNT + 1} different frames, others are interpolated: 1 of 1 clips"
    assert more.warnings == (remark,)
    steps = clip.model_copy(update={"interpolation": TemporalInterpolation(positions="steps")})
    assert not np.array_equal(load(blob, steps).arrays[0] * 255, gray)


def test_normalised_clips_have_no_brightness_of_their_own(blob):
    loaded = load(blob, CLIP.model_copy(update={"normalise": "standard"}))
    assert loaded.arrays.mean() == pytest.approx(0, abs=1e-4)
    assert loaded.arrays.std() == pytest.approx(1, abs=1e-4)


class TestWholeClips:
    WHOLE = Clip(kind="frames", size=32, sampling="whole")

    def test_each_frame_is_loaded_as_an_image_of_its_own_is(self, blob):
        (clip,) = load(blob, self.WHOLE).arrays
        assert clip.shape == (COUNT, 32, 32, 1)
        single = Clip(kind="frames", frames=1, size=32, sampling="apex")
        for number in range(1, COUNT + 1):
            image = load(blob, single, onset=1, apex=number, offset=COUNT).arrays[0]
            np.testing.assert_array_equal(clip[number - 1], image)

    def test_they_can_be_magnified_and_normalised_clip_by_clip(self, blob):
        recipe = Magnification(alpha=5, low=1, high=12, levels=1)
        changes = {"magnification": recipe, "normalise": "standard"}
        (clip,) = load(blob, self.WHOLE.model_copy(update=changes)).arrays
        fixed = Clip(kind="frames", frames=COUNT, size=32, sampling="interpolated", **changes)
        np.testing.assert_allclose(clip, load(blob, fixed).arrays[0], atol=1e-5)

    def test_a_frame_that_is_not_on_disk_keeps_its_moment(self, blob):
        (blob / "img7.png").unlink()
        loaded = load(blob, self.WHOLE)
        assert len(loaded.arrays[0]) == COUNT
        np.testing.assert_array_equal(loaded.arrays[0][6], loaded.arrays[0][5])
        assert loaded.warnings == (
            "frame not on disk, the nearest one stands in: 1 of 1 clips (at most 1 away)",
        )

    def test_a_clip_of_one_frame_keeps_its_time_axis(self, blob):
        (clip,) = load(blob, self.WHOLE, onset=4, apex=4, offset=4).arrays
        assert clip.shape == (1, 32, 32, 1)

    def test_a_second_load_computes_nothing(self, blob, monkeypatch):
        first = load(blob, self.WHOLE)
        counts = Counts(monkeypatch)
        assert load(blob, self.WHOLE).digest() == first.digest()
        assert counts.since() == {}

    def test_no_apex_is_missed(self, blob):
        assert load(blob, self.WHOLE, apex=None).warnings == ()


class TestMagnification:
    RECIPE = Magnification(alpha=5, low=1, high=12, levels=1)

    def test_motion_is_amplified_and_stays_a_picture(self, blob):
        plain = load(blob).arrays[0]
        more = load(blob, CLIP.model_copy(update={"magnification": self.RECIPE})).arrays[0]
        change = np.abs(plain - plain[:1]).max(), np.abs(more - more[:1]).max()
        assert change[1] > 2 * change[0]
        assert more.min() >= 0 and more.max() <= 1

    def test_whole_frames_are_magnified_before_they_are_cut(self, blob):
        recipe = self.RECIPE.model_copy(update={"before_crop": True})
        clip = Clip(kind="frames", frames=1, size=32, sampling="apex", magnification=recipe)
        pictures = [
            np.asarray(cv2.imread(str(blob / f"img{number}.png"), cv2.IMREAD_GRAYSCALE))
            for number in range(1, COUNT + 1)
        ]
        for crop in ("none", "centre"):
            apex, fps = 9, samples(blob).table["fps"].iloc[0]
            (magnified,) = magnification.magnify_pictures(pictures, [apex - 1], recipe, fps)
            if crop == "centre":
                magnified = faces.apply_box(magnified, faces.centre_box(magnified.shape))
            expected = cv2.resize(magnified, (32, 32), interpolation=cv2.INTER_AREA)
            loaded = load(blob, clip.model_copy(update={"crop": crop}), apex=apex).arrays[0]
            np.testing.assert_allclose(loaded[..., 0] * 255, expected, atol=1e-3)

    def test_the_frames_after_the_apex_are_not_read_where_the_filter_needs_none(
        self, blob, monkeypatch
    ):
        counts = Counts(monkeypatch)
        for kind, decoded in (("ideal", COUNT), ("iir", 9)):
            ends = {"low": 0.1, "high": 0.9} if kind == "iir" else {}
            update = {"temporal_filter": kind, "before_crop": True, **ends}
            recipe = self.RECIPE.model_copy(update=update)
            clip = Clip(kind="frames", frames=1, size=32, sampling="apex", magnification=recipe)
            for expected in ({"decode": decoded}, {}):
                load(blob, clip, apex=9)
                assert counts.since() == expected

    def test_a_band_without_a_frequency_of_the_clip_is_said_and_changes_nothing(self, blob):
        recipe = Magnification(alpha=15, low=0.1, high=0.4)
        loaded = load(blob, CLIP.model_copy(update={"magnification": recipe}))
        np.testing.assert_array_equal(loaded.arrays, load(blob).arrays)
        (line,) = loaded.warnings
        assert "0.1-0.4 Hz holds no frequency of the clip" in line

    def test_without_a_frame_rate_it_is_an_error(self, blob):
        clip = CLIP.model_copy(update={"magnification": self.RECIPE})
        with pytest.raises(FrameError, match=r"demo/01/a.*inputs\.NAME\.magnification\.fps"):
            load(blob, clip, fps=None)
        given = self.RECIPE.model_copy(update={"fps": 100.0})
        load(blob, CLIP.model_copy(update={"magnification": given}), fps=None)


class TestFlow:
    CLIP = Clip(kind="flow", size=28, flow=Flow(method="farneback", compute_size=64))

    def test_the_three_channels_come_from_onset_and_apex(self, blob):
        loaded = load(blob, self.CLIP)
        assert loaded.arrays.shape == (1, 28, 28, 3)
        assert loaded.arrays.min() == 0 and loaded.arrays.max() == pytest.approx(255)
        stack = [cv2.imread(str(blob / f"img{n}.png"), cv2.IMREAD_GRAYSCALE) for n in (1, 11)]
        small = [cv2.resize(f, (64, 64), interpolation=cv2.INTER_AREA) for f in stack]
        expected = flow.flow_image(*small, method="farneback")
        np.testing.assert_allclose(loaded.arrays[0], expected)

    def test_fault_32_flow_that_is_not_finite_names_the_clip(self, blob, monkeypatch):
        broken = {
            method: lambda a, b: np.full((*a.shape, 2), np.nan, np.float32)
            for method in flow.METHODS
        }
        monkeypatch.setattr(flow, "METHODS", broken)
        with pytest.raises(FrameError, match=r"clip 'demo/01/a'.*NaN or infinite"):
            load(blob, self.CLIP)


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
        # The wall beside the head is gone.
        whole = load(person, **marks)
        assert cropped.arrays[0, 0].std() > whole.arrays[0, 0].std()

    def test_fault_30_no_face_is_counted_or_the_clip_left_out(self, blob):
        loaded = load(blob, self.HAAR)
        assert "no face was found, the centre of the frame stands in: 1 of 1 clips" in (
            loaded.warnings
        )
        centre = load(blob, CLIP.model_copy(update={"crop": "centre"}))
        np.testing.assert_array_equal(loaded.arrays, centre.arrays)
        with pytest.raises(FrameError, match="no face was found on the onset frame"):
            load(blob, self.HAAR, Policies(face="exclude"))

    def test_fault_30_two_faces_are_counted(self, blob, monkeypatch):
        box = faces.FaceBox(10, 10, 40, 40, 0.0, "haar", 2)
        monkeypatch.setattr(faces, "locate", lambda *_args, **_options: box.packed())
        assert load(blob, self.HAAR).warnings == (
            "several faces were found, the largest one is taken: 1 of 1 clips",
        )

    def test_the_centre_keeps_the_aspect_ratio(self, blob):
        loaded = load(blob, CLIP.model_copy(update={"crop": "centre"}))
        gray = cv2.imread(str(blob / "img1.png"), cv2.IMREAD_GRAYSCALE)[:, 10:70]
        expected = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA) / np.float32(255)
        np.testing.assert_allclose(loaded.arrays[0, 0, ..., 0], expected, atol=1e-6)


class TestCache:
    FULL = CLIP.model_copy(
        update={"crop": "haar", "magnification": Magnification(alpha=5, low=1, high=12, levels=1)}
    )
    SPOT = Policies(apex="spot")

    def test_a_second_run_computes_and_reads_nothing(self, blob, monkeypatch):
        first = load(blob, self.FULL, self.SPOT, apex=None)
        counts = Counts(monkeypatch)
        monkeypatch.setattr(frames.Path, "read_bytes", frames.Path.read_bytes)
        again = load(blob, self.FULL, self.SPOT, apex=None)
        assert counts.since() == {}
        np.testing.assert_array_equal(first.arrays, again.arrays)
        assert first.warnings == again.warnings

    def test_a_changed_parameter_redoes_only_what_reads_it(self, blob, monkeypatch):
        load(blob, self.FULL, self.SPOT, apex=None)
        counts = Counts(monkeypatch)
        louder = self.FULL.model_copy(
            update={"magnification": Magnification(alpha=9, low=1, high=12, levels=1)}
        )
        load(blob, louder, self.SPOT, apex=None)
        assert counts.since() == {"magnify": 1}
        more = self.FULL.model_copy(update={"frames": 9})
        load(blob, more, self.SPOT, apex=None)
        assert counts.since() == {}
        larger = self.FULL.model_copy(update={"size": 40})
        load(blob, larger, self.SPOT, apex=None)
        seen = counts.since()
        assert seen.pop("decode") == COUNT and seen == {"magnify": 1}

    def test_another_flow_method_decodes_nothing(self, blob, monkeypatch):
        load(blob, TestFlow.CLIP)
        counts = Counts(monkeypatch)
        load(blob, TestFlow.CLIP.model_copy(update={"flow": Flow(method="dis", compute_size=64)}))
        assert counts.since() == {"flow": 1}


class TestCheck:
    def test_every_frame_is_looked_at_and_nothing_cached(self, blob, tmp_path):
        excluded, warnings = check_frames(samples(blob))
        assert (excluded, warnings) == ((), ())
        (blob / "img7.png").write_bytes(b"")
        excluded, _ = check_frames(samples(blob))
        assert [(e.clip, e.reason) for e in excluded] == [("01/a", "img7.png: zero bytes")]
        assert not list((tmp_path / "cache").rglob("*.clip"))

    def test_gaps_and_a_missing_apex_are_remarked(self, blob):
        (blob / "img7.png").unlink()
        _, warnings = check_frames(samples(blob, apex=None))
        assert any("nearest one stands in" in line for line in warnings)
        assert any("apex not annotated" in line for line in warnings)
