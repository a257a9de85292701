"""Figures of where networks look: what is shown, and of whom."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.report import explanation as report
from mer_keras.report.map_words import describe_map, describe_weights
from mer_keras.terms import WATERMARK
from tests.page_checks import complaints_of

RNG = np.random.default_rng(0)
SECRET = "samm/007"


def explained(row="MERANet", shape=(3, 20, 20, 1), footage=True):
    places = shape[:-1]
    return Explained(
        sample_id=f"{SECRET}/c1",
        subject_id=SECRET,
        label="anger",
        row=row,
        predicted="fear",
        as_stored=True,
        clip=RNG.random(shape).astype("float32"),
        heat=RNG.random(places).astype("float32"),
        frames=RNG.random((5, 32, 32)).astype("float32") if footage else None,
        attention=(
            Attention("block1_channel_attention", "channels", RNG.random(8)),
            Attention("block1_attention", "map", RNG.random(places)),
            Attention("tokens", "tokens", RNG.random((4, 13))),
        ),
    )


def explanation(kind, *rows, **options):
    found = tuple(explained(row, **options) for row in rows or ("MERANet", "3-D ResNet-18"))
    return Explanation("run-1", "meranet/table1", kind, found)


@pytest.fixture
def drawn(monkeypatch):
    """Arrays that were given to be shown."""
    seen = []
    real = report._show

    def spy(axes, picture, heat, **options):
        seen.append((picture, heat))
        return real(axes, picture, heat, **options)

    monkeypatch.setattr(report, "_show", spy)
    return seen


@pytest.mark.parametrize("shape", [(3, 20, 20, 1), (20, 20, 3)], ids=["clip", "image"])
@pytest.mark.parametrize(("kind", "footage"), [("synthetic", True), ("licensed", False)])
def test_page_and_figures_are_written(tmp_path, kind, footage, shape):
    page = report.write_explanation(explanation(kind, shape=shape, footage=footage), tmp_path)
    assert page.name == "explanation.html"
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"explanation.html", "grad-cam.png", "attention-1.png", "attention-2.png"}
    text = page.read_text()
    assert text.count("<svg") == 3
    assert complaints_of(text) == []
    assert (WATERMARK in text) == (kind == "synthetic")
    for name in ("grad-cam", "attention-1"):
        picture = imread(io.BytesIO((tmp_path / f"{name}.png").read_bytes()))
        assert picture.shape[0] > 100
        assert picture.std() > 0.01


def test_networks_of_different_lengths_stand_side_by_side(drawn):
    """Each map is shown at the frame where it is largest."""
    rows = (explained("ELRCN", (2, 20, 20, 3)), explained("ConvLSTM", (13, 20, 20, 1)))
    both = Explanation("run-1", "shallow_attention/table1", "synthetic", rows)
    report.draw_grad_cam(both)
    heats = [heat for _, heat in drawn if heat is not None]
    for row in rows:
        strongest = row.heat[row.heat.sum(axis=(1, 2)).argmax()]
        assert any(heat.shape == strongest.shape and (heat == strongest).all() for heat in heats)


@pytest.mark.parametrize("kind", ["licensed", "public"])
def test_faces_of_people_are_hidden(tmp_path, drawn, kind):
    page = report.write_explanation(explanation(kind), tmp_path)
    assert drawn
    for picture, heat in drawn:
        assert picture is None
        assert heat is None or max(heat.shape) <= report.COARSE
    text = page.read_text()
    assert SECRET not in text
    assert "Faces are hidden" in text
    assert "clip 1: MERANet says fear, but it is anger" in text
    assert SECRET.encode() not in (tmp_path / "grad-cam.png").read_bytes()


def test_the_face_of_an_allowed_subject_is_shown(tmp_path, drawn):
    report.write_explanation(explanation("licensed"), tmp_path, allowed=[SECRET])
    assert all(picture is not None for picture, _ in drawn)
    drawn.clear()
    report.write_explanation(explanation("licensed"), tmp_path, allowed=["samm/008"])
    assert all(picture is None for picture, _ in drawn)


def test_synthetic_faces_are_shown_with_the_maps_as_they_are(drawn):
    given = explanation("synthetic", "MERANet")
    report.draw_grad_cam(given)
    clip = given.explained[0]
    frame = int(clip.heat.sum((1, 2)).argmax())
    (onset, _), (apex, _), (below, heat) = drawn
    np.testing.assert_array_equal(heat, clip.heat[frame])
    np.testing.assert_array_equal(onset, clip.frames[0])
    np.testing.assert_array_equal(apex, clip.frames[2])
    np.testing.assert_array_equal(below, clip.frames[2])


def test_coarse_keeps_the_place_of_the_peak():
    heat = np.zeros((70, 70), "float32")
    heat[20:30, 50:60] = 1
    found = report.coarse(heat)
    assert found.shape == (7, 7)
    assert np.unravel_index(found.argmax(), found.shape) == (2, 5)


def test_another_answer_than_the_stored_one_is_said(tmp_path):
    from dataclasses import replace

    given = explanation("synthetic")
    given = replace(given, explained=(replace(given.explained[0], as_stored=False),))
    page = report.write_explanation(given, tmp_path)
    assert "do not give the run" in page.read_text()


def test_flow_between_frames_is_that_of_the_drawing():
    rows, columns = np.mgrid[:64, :64]
    pattern = np.sin(rows / 3) * np.cos(columns / 4) / 2 + 0.5
    moved = np.roll(pattern, 2, axis=1)
    field = report.flow_between(pattern.astype("float32"), moved.astype("float32"))
    right, down = np.median(field[16:48, 16:48], axis=(0, 1))
    assert right == pytest.approx(2, abs=0.3)
    assert down == pytest.approx(0, abs=0.3)


class TestWordsOfMaps:
    def test_a_spot_is_where_it_is_and_as_narrow_as_it_is(self):
        heat = np.zeros((30, 30), "float32")
        heat[21:27, 3:9] = 1  # 36 equal pixels of 900: half of the weight lies on 18, 2 %.
        assert describe_map(heat) == "half of it lies on 2 % of the picture, around the lower left"

    def test_motion_in_the_same_place_and_elsewhere(self):
        heat = np.zeros((36, 36), "float32")
        heat[:12, :12] = 1
        assert "it lies where the face moves (r = 1.00)" in describe_map(heat, 3 * heat)
        assert "doesn't lie where the face moves" in describe_map(heat, heat[::-1])

    def test_maps_that_say_nothing(self):
        heat = np.zeros((8, 8), "float32")
        assert describe_map(heat) == "nothing in it speaks for the class"
        even = describe_map(heat + 1, np.eye(8, dtype="float32"))
        assert even.endswith("it is the same everywhere")

    def test_weights_are_counted_over_heads(self):
        assert describe_weights(np.full(8, 0.125)) == "all 8 have the same weight, 0.12"
        heads = np.array([[0.1, 0.9], [0.3, 0.7]])
        assert describe_weights(heads) == "2 weights from 0.20 to 0.80, the largest is number 2"
