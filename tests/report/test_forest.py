"""The figure of published and own numbers."""

import re
from xml.etree import ElementTree

import pytest

from mer_keras.report.forest import forest_lines, forest_svg
from mer_keras.report.illustrations import forest_figure
from mer_keras.report.scoring import score_row
from mer_keras.report.tables import tables_of
from mer_keras.terms import WATERMARK
from tests.report.stored import CONFIG, make_run


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("drawn"), kind="synthetic", profile="quick")


def test_lines_hold_the_numbers_of_the_table(real):
    lines = {line.name: line for line in forest_lines(CONFIG, real)}
    own = lines["Proposed ConvLSTM"]
    assert own.values["uar"] == score_row(real, real.rows[0]).values["uar"]
    assert own.published["uar"] == (0.7833,)
    assert lines["majority class"].baseline
    assert not lines["majority class"].published
    assert "Shallow CNN (quoted)" not in lines, "which average it is isn't known"


def test_drawn_faces_never_stand_beside_a_published_number(drawn):
    lines = forest_lines(CONFIG, drawn)
    assert lines
    assert not any(line.published for line in lines)
    assert {line.check for line in lines} == {"found", "not found"}
    svg = forest_svg(lines, drawn, "x")
    texts = [node.text or "" for node in ElementTree.fromstring(svg).iter()]
    assert not any("published" in text for text in texts)
    assert WATERMARK in texts
    figure = forest_figure(CONFIG, tables_of(CONFIG, [drawn])[1])
    assert "published" not in figure.text


def test_other_clips_have_no_published_number_beside_them(tmp_path):
    view = make_run(tmp_path, kind="own")
    view.manifest["config"]["data"] |= {"database": "my_lab"}
    assert not any(line.published for line in forest_lines(CONFIG, view))


def test_figure_and_words_say_the_same(real):
    lines = forest_lines(CONFIG, real)
    figure = forest_figure(CONFIG, tables_of(CONFIG, [real])[0])
    words = " ".join(node.text or "" for node in ElementTree.fromstring(figure.svg).iter())
    for label in ("published", "own estimate", "baseline", "chance, 33.3", "UAR, %", "UF1, %"):
        assert label in words
    uar = lines[0].values["uar"]
    interval = f"[{100 * uar.low:.1f}, {100 * uar.high:.1f}]"
    assert f"UAR {100 * uar.pooled:.1f} % {interval}, published UAR 78.33 %" in figure.text


def test_without_a_result_there_is_no_figure(tmp_path):
    skip = {("proposed-convlstm", "fold-1"), ("baseline-majority", "fold-1")}
    view = make_run(tmp_path, skip=skip)
    assert forest_figure(CONFIG, tables_of(CONFIG, [view])[0]) is None
    assert forest_figure(CONFIG, tables_of(CONFIG, [])[0]) is None


def test_a_page_shows_it_before_the_table(tmp_path, real):
    from mer_keras.report.document import write_report

    write_report([(CONFIG, [real])], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.index('<figure class="forest">') < page.index("<table")
    assert (
        tmp_path / "figures/shallow-convlstm-table1.full.last_epoch.licensed.forest.svg"
    ).exists()
    inline = re.search(r'<figure class="forest">.*?</figure>', page, re.DOTALL)[0]
    assert "#0072b2" not in inline, "its colours are the page's"
    assert "var(--series-1)" in inline
