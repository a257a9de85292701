"""Figures: what is drawn, for whom, and what is not."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from mer_keras.audit.published import load
from mer_keras.config.files import load_experiments
from mer_keras.report.document import write_report
from mer_keras.report.figures import (
    confusion_svg,
    curves_svg,
    database_confusions_svg,
    published_confusion_svg,
    subjects_svg,
)
from mer_keras.report.illustrations import figures_of, published_matrices
from mer_keras.terms import WATERMARK
from tests.report.stored import CONFIG, SECRET, make_run

DRAW = {
    "confusion": confusion_svg,
    "databases": database_confusions_svg,
    "people": subjects_svg,
    "curves": curves_svg,
}


def words(svg):
    return " ".join("".join(node.itertext()) for node in ElementTree.fromstring(svg).iter())


@pytest.mark.parametrize("name", DRAW)
class TestEveryFigure:
    def test_says_its_data_and_protocol_and_bears_the_watermark(self, tmp_path, name):
        for kind in ("licensed", "synthetic"):
            view = make_run(tmp_path, kind=kind)
            text = words(DRAW[name](view, view.rows[0]))
            assert f"{kind} data, subject-exclusive stratified 4-fold" in text
            assert (WATERMARK in text) == (kind == "synthetic")

    def test_is_the_same_twice_and_shares_no_id_with_another(self, tmp_path, name):
        first, second = make_run(tmp_path), make_run(tmp_path, profile="quick")
        draw = DRAW[name]
        assert draw(first, first.rows[0]) == draw(first, first.rows[0])
        ids = [
            set(re.findall(r'<(?:clipPath|path) id="(\w{11,})"', draw(view, view.rows[0])))
            for view in (first, second)
        ]
        assert ids[0]
        assert not ids[0] & ids[1]

    def test_names_nobody(self, tmp_path, name):
        view = make_run(tmp_path)
        assert SECRET not in DRAW[name](view, view.rows[0])


def test_the_matrix_holds_counts_and_shares(tmp_path):
    view = make_run(tmp_path)
    part = view.of_row("proposed-convlstm")
    right = int(((part["label"] == "negative") & (part["predicted"] == "negative")).sum())
    assert f"({right})" in confusion_svg(view, view.rows[0])


def test_one_dot_a_person(tmp_path):
    view = make_run(tmp_path)
    svg = subjects_svg(view, view.rows[0])
    people = view.of_row("proposed-convlstm").groupby(["database", "subject_id"]).ngroups
    assert f"{people} people" in words(svg)
    drawn = svg[svg.index("PathCollection_1") : svg.index("matplotlib.axis")]
    assert drawn.count('clip-path="url(') == people


def test_curves_show_what_selection_looked_at_only_where_it_did(tmp_path):
    blind, watching = make_run(tmp_path), make_run(tmp_path, selection="inner_subjects")
    assert "watched" not in words(curves_svg(blind, blind.rows[0]))
    assert "watched" in words(curves_svg(watching, watching.rows[0]))
    assert "4 trainings" in words(curves_svg(blind, blind.rows[0]))


def test_only_complete_networks_are_drawn(tmp_path):
    view = make_run(tmp_path, skip={("proposed-convlstm", "fold-3")})
    assert list(figures_of(view)) == []


def test_figures_say_in_words_what_they_show(tmp_path):
    texts = [figure.text for figure in figures_of(make_run(tmp_path))]
    assert len(texts) == 4
    assert "positive" in texts[0]
    assert re.search(r"right: samm \d+ %, smic \d+ %$", texts[1])
    assert "median is" in texts[2]
    assert "loss ends at 0.250" in texts[3]


def test_matrices_of_databases_add_up_and_stand_only_where_there_are_several(tmp_path):
    view = make_run(tmp_path)
    nodes = ElementTree.fromstring(database_confusions_svg(view, view.rows[0])).iter()
    texts = "".join(node.text or "" for node in nodes)
    cells = re.findall(r"\((\d+)\)", texts)
    assert len(cells) == 2 * 9
    assert sum(map(int, cells)) == 24
    samm = view.predictions[view.predictions["database"] == "samm"]
    names = [figure.name for figure in figures_of(replace(view, predictions=samm))]
    assert not any(name.endswith(".databases") for name in names)


class TestPublishedMatrix:
    def test_stands_as_printed(self):
        (matrix,) = load("micro_attention").matrices
        text = words(published_confusion_svg(matrix, "x"))
        for value in ("81.63", "17.86", "43.47", "0.00"):
            assert value in text
        assert "published, Table 5" in text

    def test_stands_beside_the_row_it_belongs_to(self):
        (config,) = load_experiments("micro_attention/table5")
        (figure,) = published_matrices(config)
        assert figure.data_kind == "published"
        assert "anger 94.12 %" in figure.text
        assert list(published_matrices(load_experiments("meranet/figure4")[0])) == []

    def test_never_stands_among_synthetic_figures(self, tmp_path):
        view = make_run(tmp_path / "runs", kind="synthetic")
        write_report([(CONFIG, [view])], tmp_path)
        page = (tmp_path / "report.html").read_text()
        before, box = page.split('<div class="synthetic">')
        assert "as printed in Table 4" in before
        assert "as printed in" not in box.split("What the printed numbers imply")[0]
