"""Dynamic images, and sequences of optical flow."""

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from mer_keras.clips import sequences
from mer_keras.clips.flow_pictures import flow_parts, picture_of
from mer_keras.clips.sequences import dynamic_image, interpolated, rank_weights
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, Flow, TemporalInterpolation
from mer_keras.errors import FrameError
from tests.clips.blob import COUNT, load

#: What LEARNet's public code makes of seven frames of 4x5x3 by a formula, in rows of a picture.
PUBLISHED = [
    *(112, 87, 66, 45, 28, 16, 6, 1, 0, 4, 12, 24, 41, 60, 81),
    *(104, 129, 154, 176, 197, 216, 233, 244, 251, 254, 253, 247, 236, 222, 205),
    *(183, 161, 138, 114, 91, 68, 47, 30, 16, 7, 1, 0, 3, 12, 23),
    *(40, 59, 80, 104, 127, 151, 175, 195, 216, 232, 243, 250, 254, 253, 248),
]
#: The weighted sums by the definition, before they are scaled.
SUMS = [
    *(7.447619, -153.27619, -294.342857, -437.504762, -560.4),
    *(-656.057143, -741.67619, -787.504762, -812.742857, -808.095238),
    *(-771.504762, -714.285714, -625.009524, -511.904762, -387.219048),
    *(-243.771429, -90.72381, 64.990476, 215.942857, 362.133333),
    *(492.819048, 612.285714, 701.733333, 765.771429, 802.4),
    *(816.361905, 797.942857, 750.07619, 672.228571, 574.190476),
    *(450.609524, 319.714286, 171.52381, 17.657143, -132.87619),
    *(-285.390476, -425.104762, -549.92381, -654.247619, -730.190476),
    *(-786.952381, -815.485714, -812.761905, -776.057143, -720.019048),
    *(-630.628571, -519.447619, -393.695238, -250.8, -100.933333),
    *(52.857143, 207.390476, 351.657143, 489.942857, 602.32381),
    *(691.771429, 760.514286, 807.066667, 813.428571, 802.609524),
]


def formula():
    values = 127.5 + 100 * np.sin(0.19 * np.arange(7 * 4 * 5 * 3) + 0.3)
    return np.rint(values).astype(np.uint8).reshape(7, 4, 5, 3)


def test_weights_of_frames():
    published, bilen = rank_weights(7, "published_code"), rank_weights(7, "bilen")
    np.testing.assert_allclose(
        published, [-4.15, 0.85, 2.35, 2.683333, 2.433333, 1.833333, 1], atol=1e-6
    )
    np.testing.assert_allclose(
        bilen, [-6.742857, -0.742857, 1.257143, 1.92381, 1.92381, 1.52381, 0.857143], atol=1e-6
    )
    for length in (1, 2, 19):
        assert rank_weights(length, "published_code").sum() == pytest.approx(length)
        assert rank_weights(length, "bilen").sum() == pytest.approx(0, abs=1e-9)
        loop = [
            sum((2 * i - length - 1) / i for i in range(n, length + 1))
            for n in range(1, length + 1)
        ]
        np.testing.assert_allclose(rank_weights(length, "bilen"), loop, atol=1e-9)


def test_a_dynamic_image_is_that_of_the_public_code():
    image = dynamic_image(formula())
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image.ravel(), PUBLISHED)
    sums = np.array(SUMS)
    expected = (sums - sums.min()) / np.ptp(sums) * 255
    difference = expected - dynamic_image(formula(), "bilen").ravel()
    assert difference.min() > -1e-4 and difference.max() < 1 + 1e-4, "decimals are cut off"


def test_a_still_face_vanishes_by_the_definition_and_stays_by_the_public_code():
    still = np.repeat(formula()[:1], 6, axis=0)
    assert not dynamic_image(still, "bilen").any()
    face = still[0].astype(float)
    expected = (face - face.min()) / np.ptp(face) * 255
    np.testing.assert_allclose(dynamic_image(still), expected, atol=1)


class TestDynamicImage:
    CLIP = Clip(kind="dynamic_image", size=32, channels=3)

    def test_it_is_of_all_frames_in_colour_or_gray(self, blob):
        loaded = load(blob, self.CLIP)
        assert loaded.arrays.shape == (1, 32, 32, 3)
        assert loaded.arrays.min() == 0 and loaded.arrays.max() == 1
        assert loaded.flow is None
        whole = Clip(kind="frames", size=32, sampling="whole", channels=3)
        (frames,) = load(blob, whole).arrays
        stack = np.rint(frames * 255).astype(np.uint8)
        np.testing.assert_array_equal(np.rint(loaded.arrays[0] * 255), dynamic_image(stack))
        gray = load(blob, Clip(kind="dynamic_image", size=32, rank_pooling="bilen"))
        assert gray.arrays.shape == (1, 32, 32, 1)

    def test_no_apex_is_missed(self, blob):
        assert load(blob, self.CLIP, apex=None).warnings == ()

    def test_a_frame_that_is_not_on_disk_counts_as_its_neighbour(self, blob):
        (blob / "img7.png").unlink()
        (frames,) = load(blob, Clip(kind="frames", size=32, sampling="whole")).arrays
        stack = np.rint(frames[..., 0] * 255).astype(np.uint8)
        loaded = load(blob, Clip(kind="dynamic_image", size=32))
        np.testing.assert_array_equal(np.rint(loaded.arrays[0, ..., 0] * 255), dynamic_image(stack))

    def test_one_frame_is_remarked_or_leaves_nothing(self, blob):
        marks = {"onset": 4, "apex": 4, "offset": 4}
        assert "one frame stands for the whole clip" in load(blob, self.CLIP, **marks).warnings[0]
        with pytest.raises(FrameError, match="one frame"):
            load(blob, self.CLIP, Policies(motionless="exclude"), **marks)
        bilen = self.CLIP.model_copy(update={"rank_pooling": "bilen"})
        with pytest.raises(FrameError, match="nothing left"):
            load(blob, bilen, **marks)

    def test_a_second_load_computes_nothing(self, blob, monkeypatch):
        first = load(blob, self.CLIP)
        monkeypatch.setattr(sequences, "dynamic_image", None)
        assert load(blob, self.CLIP).digest() == first.digest()


class TestFlowSequence:
    CLIP = Clip(
        kind="flow_sequence",
        frames=3,
        size=16,
        sampling="interpolated",
        flow=Flow(method="farneback", compute_size=32, output="field"),
    )

    def frames(self, blob, count, **changes):
        clip = Clip(kind="frames", frames=count, size=32, **changes)
        return np.rint(load(blob, clip).arrays[0, ..., 0] * 255).astype(np.uint8)

    @pytest.mark.parametrize("sampling", ["interpolated", "tim"])
    def test_flow_runs_between_neighbours_of_interpolated_frames(self, blob, sampling):
        loaded = load(blob, self.CLIP.model_copy(update={"sampling": sampling}))
        assert loaded.arrays.shape == (1, 3, 16, 16, 3) == (1, *self.CLIP.shape)
        gray = self.frames(blob, 4, sampling=sampling)
        for number in range(3):
            field = sequences.optical_flow(gray[number], gray[number + 1], "farneback")
            small = cv2.resize(flow_parts(field), (16, 16), interpolation=cv2.INTER_AREA)
            np.testing.assert_allclose(loaded.arrays[0, number], small, atol=1e-5)
        assert loaded.flow.channels == ("u", "v", "magnitude")
        assert loaded.flow.mirroring == ("negate", "keep", "keep")

    def test_channels_can_be_chosen_and_be_those_of_picture_files(self, blob):
        flow = Flow(method="farneback", compute_size=32, output="picture", channels=("strain", "u"))
        clip = self.CLIP.model_copy(update={"flow": flow, "size": 32})
        loaded = load(blob, clip)
        assert loaded.arrays.shape == (1, 3, 32, 32, 2)
        gray = self.frames(blob, 4, sampling="interpolated")
        field = sequences.optical_flow(gray[0], gray[1], "farneback")
        np.testing.assert_array_equal(loaded.arrays[0, 0], picture_of(field, ("strain", "u")))
        assert loaded.flow.mirroring == ("unknown", "unknown")

    def test_frames_may_be_fewer_than_images(self, blob):
        loaded = load(blob, self.CLIP.model_copy(update={"frames": COUNT + 4}))
        assert loaded.arrays.shape[1] == COUNT + 4
        assert any("others are interpolated" in line for line in loaded.warnings)

    def test_a_second_load_computes_nothing_and_an_option_counts(self, blob, monkeypatch):
        first = load(blob, self.CLIP)
        calls = []
        original = sequences.flow_sequence
        monkeypatch.setattr(
            sequences, "flow_sequence", lambda *args: calls.append(1) or original(*args)
        )
        assert load(blob, self.CLIP).digest() == first.digest()
        assert not calls
        steps = TemporalInterpolation(positions="steps")
        load(blob, self.CLIP.model_copy(update={"interpolation": steps, "sampling": "tim"}))
        assert calls == [1]

    def test_flow_that_is_not_finite_names_the_clip(self, blob, monkeypatch):
        def broken(first, second, method):
            raise FrameError("NaN")

        monkeypatch.setattr(sequences, "optical_flow", broken)
        with pytest.raises(FrameError, match="clip 'demo/01/a': NaN"):
            load(blob, self.CLIP)


def test_linear_interpolation():
    stack = np.array([0, 10, 40], np.uint8).reshape(3, 1, 1)
    np.testing.assert_allclose(interpolated(stack, 5).ravel(), [0, 5, 10, 25, 40])
    np.testing.assert_allclose(interpolated(stack[:1], 2).ravel(), [0, 0])


def test_a_part_of_the_frame_can_be_cut(blob):
    clip = Clip(kind="frames", frames=1, size=16, sampling="apex", part=(0.5, 1, 0, 0.5))
    gray = cv2.imread(str(blob / "img11.png"), cv2.IMREAD_GRAYSCALE)[30:, :40]
    expected = cv2.resize(gray, (16, 16), interpolation=cv2.INTER_AREA) / np.float32(255)
    np.testing.assert_allclose(load(blob, clip).arrays[0, ..., 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": "dynamic_image", "frames": 2}, "one image"),
        ({"kind": "flow_sequence", "frames": 2}, "sampling"),
        ({"kind": "flow_sequence", "sampling": "tim"}, "field or picture"),
        (
            {
                "kind": "dynamic_image",
                "magnification": {"alpha": 2, "low": 0.1, "high": 1},
            },
            "magnification",
        ),
        ({"kind": "flow", "flow": {"channels": ["u"]}}, "flow.channels"),
        ({"kind": "frames", "part": [0.5, 0.5, 0, 1]}, "top < bottom"),
        ({"kind": "flow", "part": [0, 0.5, 0, 1]}, "'part' is for kind 'frames'"),
    ],
)
def test_keys_that_a_kind_has_no_use_for_are_refused(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Clip.model_validate(changes)
