"""Figures of where networks look: what is shown, and of whom."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from mer_keras.explanation.findings import Attention, Explained, Explanation
from mer_keras.report import explanation as report
from mer_keras.terms import WATERMARK

RNG = np.random.default_rng(0)
SECRET = "samm/007"


def explained(row="MERANet", shape=(3, 20, 20, 1)):
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
@pytest.mark.parametrize("kind", ["synthetic", "licensed"])
def test_page_and_figures_are_written(tmp_path, kind, shape):
    page = report.write_explanation(explanation(kind, shape=shape), tmp_path)
    assert page.name == "explanation.html"
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"explanation.html", "grad-cam.png", "attention-1.png", "attention-2.png"}
    text = page.read_text()
    assert text.count("<img") == 3
    assert (WATERMARK in text) == (kind == "synthetic")
    for name in ("grad-cam", "attention-1"):
        picture = imread(io.BytesIO((tmp_path / f"{name}.png").read_bytes()))
        assert picture.shape[0] > 100
        assert picture.std() > 0.01


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
    frame = int(given.explained[0].heat.sum((1, 2)).argmax())
    np.testing.assert_array_equal(drawn[1][1], given.explained[0].heat[frame])
    assert drawn[1][0].shape == (20, 20)


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
