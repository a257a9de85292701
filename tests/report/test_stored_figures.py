"""Figures of stored runs in texts, and the picture of the README, are what is stored."""

import json
import re
from pathlib import Path

import pytest

from mer_keras.errors import UserError
from mer_keras.report.overview import OverviewLine, overview
from mer_keras.report.stored_figures import fill, overview_svg

ROOT = Path(__file__).parents[2]
#: Texts that hold figures, and the picture, as `make docs-figures` writes them.
TEXTS = ("README.md", "docs/results.md")


def line(row, *, ours="UF1 60.00 [50.0, 70.0], UAR 61.00 [51.0, 71.0]", published="-"):
    command = "`mer-keras run paper/table1`"
    protocol, table = "leave-one-subject-out", f"Table 1: {row}"
    return OverviewLine("Nobody, 2026", table, command, published, ours, "own", protocol, "run")


@pytest.fixture
def stored(tmp_path):
    """A stored table and a stored comparison."""
    (tmp_path / "table.csv").write_text('method,"UF1 %"\nA|B,"1.00 [0.5, 2.0]"\n')
    differences = [{"metric": "uf1", "difference": -0.0189, "interval": [-0.0706, 0.0289]}]
    (tmp_path / "a.json").write_text(json.dumps({"differences": differences}))
    return tmp_path


@pytest.fixture(scope="module")
def lines():
    return overview(ROOT / "results/published")


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_text_shows_is_stored(name, lines):
    """After a run is stored: make docs-figures."""
    text = (ROOT / name).read_text()
    assert fill(text, lines, ROOT / "results/published") == text


def test_no_other_text_has_marks():
    marked = [path for path in ROOT.glob("docs/*.md") if "<!-- difference" in path.read_text()]
    assert {str(path.relative_to(ROOT)) for path in marked} <= {*TEXTS}


def test_all_lines_or_those_that_are_named(stored):
    lines = [line("A"), line("B")]
    begin, end = "<!-- overview: begin{} -->\n", "<!-- overview: end -->"
    whole = fill(f"x\n{begin.format('')}old\n{end}\ny", lines, stored)
    assert "Table 1: A" in whole and "Table 1: B" in whole and "old" not in whole
    assert whole.startswith("x\n") and whole.endswith(f"{end}\ny")
    chosen = fill(begin.format("\npaper/table1: B\n") + end, lines, stored)
    assert "Table 1: B" in chosen and "Table 1: A" not in chosen
    assert fill(chosen, lines, stored) == chosen
    with pytest.raises(UserError, match="no line 'paper/table1: C'; it has paper/table1: A"):
        fill(begin.format("\npaper/table1: C\n") + end, lines, stored)


def test_a_stored_table(stored):
    text = fill("<!-- table: begin table.csv -->\n<!-- table: end -->", [], stored)
    assert "| method | UF1 % |\n| --- | --- |\n| A\\|B | 1.00 [0.5, 2.0] |" in text
    with pytest.raises(UserError, match="no such stored table"):
        fill("<!-- table: begin other.csv -->\n<!-- table: end -->", [], stored)


def test_columns_and_rows_of_a_stored_table(stored):
    def filled(chosen):
        return fill(
            f"<!-- table: begin table.csv\n{chosen}-->\nold\n<!-- table: end -->", [], stored
        )

    (stored / "table.csv").write_text("method,UF1 %,n\nA,1,5\nB,2,6\nC,3,7\n")
    text = filled("columns: method; n\nrows: C; A\n")
    assert text.endswith(
        "-->\n| method | n |\n| --- | --- |\n| C | 7 |\n| A | 5 |\n<!-- table: end -->"
    )
    assert fill(text, [], stored) == text
    assert "| B | 2 | 6 |" in filled("rows: B\n")
    assert "| 3 |" in filled("columns: UF1 %\n")
    with pytest.raises(
        UserError, match=r"table.csv: column 'm' isn't there; there are method, UF1 %"
    ):
        filled("columns: method; m\n")
    with pytest.raises(UserError, match=r"table.csv: row 'D' isn't there; there are A, B, C"):
        filled("rows: D\n")


def test_a_stored_comparison(stored):
    text = fill("by <!-- difference: a.json uf1 -->old<!-- end -->.", [], stored)
    assert text == "by <!-- difference: a.json uf1 -->-1.9 points [-7.1, +2.9]<!-- end -->."
    with pytest.raises(UserError, match="no metric 'uar'"):
        fill("<!-- difference: a.json uar --><!-- end -->", [], stored)
    with pytest.raises(UserError, match="no such stored comparison"):
        fill("<!-- difference: b.json uf1 --><!-- end -->", [], stored)


def test_a_text_without_marks_is_refused(stored):
    with pytest.raises(UserError, match="marks such as"):
        fill("nothing", [], stored)


def test_the_picture_has_a_line_for_each_stored_row():
    svg = overview_svg([line("A", published="UF1 73.53; UAR 70"), line("B"), line("C", ours="-")])
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert "A (Nobody)" in texts and "B (Nobody)" in texts and "C (Nobody)" not in texts
    assert {"ours", "published"} <= {*texts}
    assert "published" not in overview_svg([line("B")])
    with pytest.raises(UserError, match="no stored run"):
        overview_svg([line("C", ours="-")])


def test_the_stored_picture_shows_what_is_stored(lines):
    """After a run is stored: make docs-figures."""
    assert (ROOT / "results/published/overview.svg").read_text() == overview_svg(lines) + "\n"
